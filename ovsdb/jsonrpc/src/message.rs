//! JSON-RPC 1.0 messages as OVS uses them: requests, notifications, replies and errors.

use std::fmt;
use std::sync::Arc;

use crate::value::{Json, Object};

/// One JSON-RPC message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Expects a reply or an error with the same `id`.
    Request {
        /// What to do.
        method: Arc<str>,
        /// The arguments.
        params: Vec<Json>,
        /// Anything but `null`.
        id: Json,
    },
    /// Expects no answer.
    Notification {
        /// What happened.
        method: Arc<str>,
        /// The arguments.
        params: Vec<Json>,
    },
    /// The answer to a request that succeeded.
    Reply {
        /// Anything but `null`.
        result: Json,
        /// The request's `id`.
        id: Json,
    },
    /// The answer to a request that failed.
    Error {
        /// Anything but `null`.
        error: Json,
        /// The request's `id`.
        id: Json,
    },
}

/// Why a JSON value is not a JSON-RPC message; the texts are OVS's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The value is not an object.
    #[error("message is not a JSON object")]
    NotObject,
    /// `method` is something else than a string.
    #[error("method is not a JSON string")]
    Method,
    /// `params` is something else than an array.
    #[error("\"params\" must be JSON array")]
    Params,
    /// A member that JSON-RPC does not know.
    #[error("message has unexpected member \"{0}\"")]
    Unexpected(Arc<str>),
    /// A member that this kind of message needs is absent.
    #[error("{kind} must have \"{member}\"")]
    Missing {
        /// `request`, `notification`, `reply` or `error`.
        kind: &'static str,
        /// The member's name.
        member: &'static str,
    },
    /// A member that this kind of message may not have is there.
    #[error("{kind} must not have \"{member}\"")]
    Forbidden {
        /// `request`, `notification`, `reply` or `error`.
        kind: &'static str,
        /// The member's name.
        member: &'static str,
    },
}

impl Message {
    /// A request.
    pub fn request(method: &str, params: Vec<Json>, id: impl Into<Json>) -> Self {
        Self::Request { method: method.into(), params, id: id.into() }
    }

    /// A notification.
    pub fn notification(method: &str, params: Vec<Json>) -> Self {
        Self::Notification { method: method.into(), params }
    }

    /// The answer to the request with `id`.
    pub fn reply(result: impl Into<Json>, id: Json) -> Self {
        Self::Reply { result: result.into(), id }
    }

    /// The failure of the request with `id`.
    pub fn error(error: impl Into<Json>, id: Json) -> Self {
        Self::Error { error: error.into(), id }
    }

    /// `request`, `notification`, `reply` or `error`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Request { .. } => "request",
            Self::Notification { .. } => "notification",
            Self::Reply { .. } => "reply",
            Self::Error { .. } => "error",
        }
    }

    /// Reads a message from JSON. A member that is `null` counts as absent.
    ///
    /// # Errors
    /// The first rule of JSON-RPC that is broken.
    pub fn from_json(json: Json) -> Result<Self, MessageError> {
        let Json::Object(mut members) = json else {
            return Err(MessageError::NotObject);
        };
        let method = match members.remove("method") {
            None => None,
            Some(Json::Str(s)) => Some(s),
            Some(_) => return Err(MessageError::Method),
        };
        let mut take = |name: &str| members.remove(name).filter(|json| !json.is_null());
        let (params, result) = (take("params"), take("result"));
        let (error, id) = (take("error"), take("id"));
        if let Some((name, _)) = members.pop_first() {
            return Err(MessageError::Unexpected(name));
        }
        let params = match params {
            None => None,
            Some(Json::Array(params)) => Some(params),
            Some(_) => return Err(MessageError::Params),
        };

        // OVS checks the members in this order.
        let order = ["method", "params", "result", "error", "id"];
        let present =
            [method.is_some(), params.is_some(), result.is_some(), error.is_some(), id.is_some()];
        let (kind, wanted) = match (&result, &error, &id) {
            (Some(_), ..) => ("reply", [false, false, true, false, true]),
            (None, Some(_), _) => ("error", [false, false, false, true, true]),
            (None, None, Some(_)) => ("request", [true, true, false, false, true]),
            (None, None, None) => ("notification", [true, true, false, false, false]),
        };
        for ((member, present), wanted) in order.into_iter().zip(present).zip(wanted) {
            match (present, wanted) {
                (false, true) => return Err(MessageError::Missing { kind, member }),
                (true, false) => return Err(MessageError::Forbidden { kind, member }),
                _ => {}
            }
        }
        match (method, params, result, error, id) {
            (Some(method), Some(params), _, _, Some(id)) => {
                Ok(Self::Request { method, params, id })
            }
            (Some(method), Some(params), _, _, None) => Ok(Self::Notification { method, params }),
            (_, _, Some(result), _, Some(id)) => Ok(Self::Reply { result, id }),
            (_, _, _, Some(error), Some(id)) => Ok(Self::Error { error, id }),
            _ => Err(MessageError::Missing { kind, member: "id" }),
        }
    }

    /// The message as JSON, with the `null` members that JSON-RPC 1.0 asks for.
    pub fn to_json(&self) -> Json {
        let mut members = Object::new();
        let mut put = |name: &str, json: Json| {
            members.insert(name.into(), json);
        };
        match self {
            Self::Request { method, params, id } => {
                put("method", Json::Str(method.clone()));
                put("params", Json::Array(params.clone()));
                put("id", id.clone());
            }
            Self::Notification { method, params } => {
                put("method", Json::Str(method.clone()));
                put("params", Json::Array(params.clone()));
                put("id", Json::Null);
            }
            Self::Reply { result, id } => {
                put("result", result.clone());
                put("error", Json::Null);
                put("id", id.clone());
            }
            Self::Error { error, id } => {
                put("result", Json::Null);
                put("error", error.clone());
                put("id", id.clone());
            }
        }
        Json::Object(members)
    }
}

/// The text that goes on the wire, equal to [`Message::to_json`] printed, without copying the tree.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        let list = |params: &[Json], out: &mut String| {
            out.push('[');
            for (i, param) in params.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                param.print_into(out);
            }
            out.push(']');
        };
        match self {
            Self::Request { method, params, id } => {
                out.push_str("{\"id\":");
                id.print_into(&mut out);
                out.push_str(",\"method\":");
                crate::string::quote_into(method, &mut out);
                out.push_str(",\"params\":");
                list(params, &mut out);
            }
            Self::Notification { method, params } => {
                out.push_str("{\"id\":null,\"method\":");
                crate::string::quote_into(method, &mut out);
                out.push_str(",\"params\":");
                list(params, &mut out);
            }
            Self::Reply { result, id } => {
                out.push_str("{\"error\":null,\"id\":");
                id.print_into(&mut out);
                out.push_str(",\"result\":");
                result.print_into(&mut out);
            }
            Self::Error { error, id } => {
                out.push_str("{\"error\":");
                error.print_into(&mut out);
                out.push_str(",\"id\":");
                id.print_into(&mut out);
                out.push_str(",\"result\":null");
            }
        }
        out.push('}');
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{array, object};

    fn read(text: &str) -> Result<Message, String> {
        Message::from_json(Json::parse(text).unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn wire_form_round_trips() {
        for message in [
            Message::request("echo", vec![], 0),
            Message::notification("update", vec![Json::Null, object! { "a" => 1 }]),
            Message::reply(array![1, 2], Json::from("x")),
            Message::error("unknown method", Json::from(3)),
        ] {
            assert_eq!(message.to_string(), message.to_json().to_string());
            assert_eq!(read(&message.to_string()), Ok(message));
        }
    }

    #[test]
    fn validity() {
        for (text, error) in [
            ("[]", "message is not a JSON object"),
            (r#"{"method":1}"#, "method is not a JSON string"),
            (r#"{"method":"a","params":{}}"#, "\"params\" must be JSON array"),
            (r#"{"method":"a","x":[]}"#, "message has unexpected member \"x\""),
            (r#"{"method":"a","id":1}"#, "request must have \"params\""),
            (r#"{"params":[],"id":1}"#, "request must have \"method\""),
            (r#"{"method":"a","params":null,"id":null}"#, "notification must have \"params\""),
            (r#"{"result":1,"id":null}"#, "reply must have \"id\""),
            (r#"{"result":1,"error":1,"id":1}"#, "reply must not have \"error\""),
            (r#"{"method":"a","error":1,"id":1}"#, "error must not have \"method\""),
        ] {
            assert_eq!(read(text), Err(error.to_owned()), "{text}");
        }
    }
}
