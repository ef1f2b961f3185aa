//! The JSON-RPC methods: RFC 7047 section 4.1 and the extensions of ovsdb-server(7).

use std::sync::Arc;

use weir_jsonrpc::{Json, Message, object};

use super::locks::Standing;
use super::{Now, Server, SessionId};
use crate::error::{OvsdbError, Result, tag};
use crate::members::is_id;
use crate::monitor::Version;
use crate::schema::Schema;

/// A result, or an error that is to be sent as it is.
type Answer = std::result::Result<Json, Json>;

impl Server {
    pub(super) fn request(
        &mut self,
        now: Now,
        session: SessionId,
        method: &str,
        params: Vec<Json>,
        request: Json,
    ) {
        let empty = || Json::Object(weir_jsonrpc::Object::new());
        let answer: Answer = match method {
            "transact" => match self.find_db(method, &params) {
                Ok(name) => {
                    return self.start_transaction(now, session, name, params, request);
                }
                Err(e) => Err(e.to_json()),
            },
            "monitor" => self.monitor(session, Version::V1, method, params).map_err(to_json),
            "monitor_cond" => self.monitor(session, Version::V2, method, params).map_err(to_json),
            "monitor_cond_since" => {
                self.monitor(session, Version::V3, method, params).map_err(to_json)
            }
            "monitor_cond_change" => {
                self.monitor_cond_change(session, &params).map(|()| empty()).map_err(to_json)
            }
            "monitor_cancel" => self.monitor_cancel(session, &params).map(|()| empty()),
            "get_schema" => self
                .find_db(method, &params)
                .map(|name| {
                    self.db(&name).map_or(Json::Null, |db| db.database().schema().to_json())
                })
                .map_err(to_json),
            "list_dbs" => Ok(Json::array(self.db_names().cloned())),
            "get_server_id" => Ok(self.uuid().to_string().into()),
            "lock" => self.lock(session, method, &params).map_err(to_json),
            "steal" => self.lock(session, method, &params).map_err(to_json),
            "unlock" => self.unlock_request(session, &params).map(|()| empty()).map_err(to_json),
            "echo" => Ok(Json::Array(params)),
            "set_db_change_aware" => {
                self.set_change_aware(session, &params).map(|()| empty()).map_err(to_json)
            }
            "convert" => self.convert(now, session, &params).map(|()| empty()).map_err(to_json),
            _ => Err("unknown method".into()),
        };
        let message = match answer {
            Ok(result) => Message::reply(result, request),
            Err(error) => Message::error(error, request),
        };
        self.send(session, message);
    }

    /// The name of the database that stands first in `params`.
    pub(super) fn find_db(&self, method: &str, params: &[Json]) -> Result<Arc<str>> {
        let all = || Json::Array(params.to_vec());
        let Some(name) = params.first().and_then(Json::as_str) else {
            let text = format!("{method} request params must begin with <db-name>");
            return Err(OvsdbError::syntax(&all(), text));
        };
        match self.databases.get_key_value(name) {
            Some((name, _)) => Ok(name.clone()),
            None => {
                let text = format!("{method} request specifies unknown database {name}");
                Err(OvsdbError::at(&all(), tag::UNKNOWN_DATABASE, text))
            }
        }
    }

    fn lock(&mut self, session: SessionId, method: &str, params: &[Json]) -> Result<Json> {
        self.check_may_lock(session)?;
        let name = lock_name(method, params)?;
        if self.locks.standing(session, name).is_some() {
            let text = format!("must issue \"unlock\" before new \"{method}\"");
            return Err(OvsdbError::syntax(&Json::Array(params.to_vec()), text));
        }
        let locked = if method == "steal" {
            if let Some(victim) = self.locks.steal(session, name) {
                self.notify(victim, Message::notification("stolen", vec![name.into()]));
            }
            true
        } else {
            self.locks.lock(session, name)
        };
        Ok(object! { "locked" => locked })
    }

    fn unlock_request(&mut self, session: SessionId, params: &[Json]) -> Result<()> {
        self.check_may_lock(session)?;
        let name = lock_name("unlock", params)?;
        if self.locks.standing(session, name).is_none() {
            let text = "unlock: \"unlock\" without \"lock\" or \"steal\"";
            return Err(OvsdbError::syntax(&Json::Array(params.to_vec()), text));
        }
        self.unlock(session, name);
        Ok(())
    }

    pub(super) fn unlock(&mut self, session: SessionId, name: &str) {
        if let Some(owner) = self.locks.unlock(session, name) {
            debug_assert_eq!(self.locks.standing(owner, name), Some(Standing::Owner));
            self.notify(owner, Message::notification("locked", vec![name.into()]));
        }
    }

    fn check_may_lock(&self, session: SessionId) -> Result<()> {
        match self.sessions.get(&session) {
            Some(session) if session.read_only => Err(OvsdbError::new(
                tag::PERMISSION,
                "lock and unlock methods not allowed, DB server is read only.",
            )),
            _ => Ok(()),
        }
    }

    fn set_change_aware(&mut self, session: SessionId, params: &[Json]) -> Result<()> {
        let [Json::Bool(aware)] = params else {
            let text = "set_db_change_aware: true or false parameter expected";
            return Err(OvsdbError::syntax(&Json::Array(params.to_vec()), text));
        };
        if let Some(session) = self.sessions.get_mut(&session) {
            session.change_aware = *aware;
        }
        Ok(())
    }

    fn convert(&mut self, now: Now, session: SessionId, params: &[Json]) -> Result<()> {
        let name = self.find_db("convert", params)?;
        let [_, schema] = params else {
            return Err(OvsdbError::syntax(&Json::Array(params.to_vec()), "array expected"));
        };
        let schema = Schema::from_json(schema)?;
        let read_only = self.sessions.get(&session).is_some_and(|session| session.read_only);
        if read_only || name.starts_with('_') {
            let text = "convert operation not allowed when database server is in read only mode";
            return Err(OvsdbError::new(tag::NOT_ALLOWED, text));
        }
        self.convert_db(now, session, &name, schema)
    }
}

fn to_json(error: OvsdbError) -> Json {
    error.to_json()
}

fn lock_name<'a>(method: &str, params: &'a [Json]) -> Result<&'a str> {
    match params {
        [Json::Str(name)] if is_id(name) => Ok(name),
        _ => {
            let text = format!("{method} request params must be <id>");
            Err(OvsdbError::syntax(&Json::Array(params.to_vec()), text))
        }
    }
}
