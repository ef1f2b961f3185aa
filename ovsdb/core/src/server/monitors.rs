//! The monitor methods, and the updates that follow them.

use weir_jsonrpc::{Json, Message};

use super::{MAX_MONITORS, Server, SessionId};
use crate::atom::uuid_from_string;
use crate::error::{OvsdbError, Result};
use crate::monitor::{Monitor, Version, parse_condition_change, parse_requests};

impl Server {
    pub(super) fn monitor(
        &mut self,
        session: SessionId,
        version: Version,
        method: &str,
        params: Vec<Json>,
    ) -> Result<Json> {
        let name = self.find_db(method, &params)?;
        let (id, requests, last_id) = match (version, params.as_slice()) {
            (Version::V1 | Version::V2, [_, id, requests]) => (id, requests, None),
            (Version::V3, [_, id, requests, last_id]) => (id, requests, Some(last_id)),
            _ => return Err(OvsdbError::syntax(&Json::Array(params), "invalid parameters")),
        };
        if requests.as_object().is_none() {
            return Err(OvsdbError::syntax(requests, "monitor-requests must be object"));
        }
        let (Some(state), Some(db)) = (self.sessions.get_mut(&session), self.databases.get(&name))
        else {
            return Ok(Json::Null);
        };
        if state.monitors.iter().any(|monitor| monitor.id == *id) {
            return Err(OvsdbError::syntax(id, "duplicate monitor ID"));
        }
        if state.monitors.len() >= MAX_MONITORS {
            return Err(OvsdbError::new("resources exhausted", "too many monitors"));
        }
        let conditional = version != Version::V1;
        let tables = parse_requests(db.database().schema(), requests, conditional)?;
        let mut monitor = Monitor::new(id.clone(), name, version, tables);
        let result = match last_id {
            None => monitor.initial(db.database()),
            Some(json) => {
                let last_id = json
                    .as_str()
                    .and_then(uuid_from_string)
                    .ok_or_else(|| OvsdbError::syntax(json, "last-txn-id must be UUID format."))?;
                let missed = db.history().since(last_id);
                let found = missed.is_some();
                let update = match missed {
                    None => monitor.initial(db.database()),
                    Some(missed) => {
                        missed.for_each(|changes| monitor.note(changes));
                        let update = monitor.flush(db.database());
                        update.unwrap_or_else(|| Json::Object(weir_jsonrpc::Object::new()))
                    }
                };
                weir_jsonrpc::array![found, db.history().last_id().to_string(), update]
            }
        };
        state.monitors.push(monitor);
        Ok(result)
    }

    pub(super) fn monitor_cond_change(
        &mut self,
        session: SessionId,
        params: &[Json],
    ) -> Result<()> {
        let [old_id, new_id, requests] = params else {
            return Err(OvsdbError::syntax(&Json::Array(params.to_vec()), "invalid parameters"));
        };
        let Some(state) = self.sessions.get_mut(&session) else { return Ok(()) };
        let taken = old_id != new_id && state.monitors.iter().any(|m| m.id == *new_id);
        let monitor = state.monitors.iter_mut().find(|monitor| monitor.id == *old_id);
        let Some(monitor) = monitor else {
            return Err(OvsdbError::syntax(old_id, "unknown monitor session"));
        };
        if taken {
            return Err(OvsdbError::syntax(new_id, "duplicate monitor ID"));
        }
        let Some(db) = self.databases.get(&monitor.database) else { return Ok(()) };
        let schema = db.database().schema();
        let conditions = parse_condition_change(schema, monitor.tables(), requests)?;
        monitor.id = new_id.clone();
        let update = monitor.change_conditions(conditions, db.database());
        let message = update.map(|update| notification(monitor, update, db));
        if let Some(message) = message {
            self.notify(session, message);
        }
        Ok(())
    }

    pub(super) fn monitor_cancel(
        &mut self,
        session: SessionId,
        params: &[Json],
    ) -> std::result::Result<(), Json> {
        let [id] = params else { return Err("invalid parameters".into()) };
        let Some(state) = self.sessions.get_mut(&session) else { return Ok(()) };
        match state.monitors.iter().position(|monitor| monitor.id == *id) {
            Some(at) => {
                state.monitors.remove(at);
                Ok(())
            }
            None => Err("unknown monitor".into()),
        }
    }

    /// Tells a session what has changed since it was last told.
    pub(super) fn flush(&mut self, session: SessionId) {
        let Some(state) = self.sessions.get_mut(&session) else { return };
        let mut messages = Vec::new();
        for monitor in state.monitors.iter_mut().filter(|monitor| monitor.has_pending()) {
            let Some(db) = self.databases.get(&monitor.database) else { continue };
            if let Some(update) = monitor.flush(db.database()) {
                messages.push(notification(monitor, update, db));
            }
        }
        for message in messages {
            self.notify(session, message);
        }
    }

    /// Is there a session that has taken its messages and has not been told everything?
    pub(super) fn has_flushable(&self) -> bool {
        self.sessions.values().any(|session| {
            session.outgoing.is_empty() && session.monitors.iter().any(Monitor::has_pending)
        })
    }

    pub(super) fn flush_idle_sessions(&mut self) {
        let idle: Vec<SessionId> = self
            .sessions
            .iter()
            .filter(|(_, session)| session.outgoing.is_empty())
            .map(|(id, _)| *id)
            .collect();
        for session in idle {
            self.flush(session);
        }
    }
}

fn notification(monitor: &Monitor, update: Json, db: &super::Db) -> Message {
    let mut params = vec![monitor.id.clone()];
    if monitor.version == Version::V3 {
        params.push(db.history().last_id().to_string().into());
    }
    params.push(update);
    Message::notification(monitor.version.method(), params)
}
