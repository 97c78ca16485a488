//! Connections, and how they are made.

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::{ConnectionLike as _, MultiplexedConnection};
use ::redis::cluster_async::ClusterConnection;
use ::redis::cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use ::redis::{AsyncConnectionConfig, Cmd, RedisResult, Value};

use super::failure::Failure;
use super::target::Target;
use crate::error::Error;
use crate::random::random;

/// A connection to a server, or to all nodes of a Cluster.
#[derive(Clone)]
pub(super) enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Sends a command. In a Cluster it goes to the node that has `key`.
    pub(super) async fn send(&mut self, command: &Cmd, key: &str) -> RedisResult<Value> {
        let reply = match self {
            Self::One(connection) => connection.req_packed_command(command).await,
            Self::Cluster(connection) => {
                let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master));
                connection.route_command(command.clone(), RoutingInfo::SingleNode(route)).await
            }
        };
        reply.and_then(Value::extract_error)
    }
}

/// Makes connections.
pub(super) struct Connector {
    pub(super) target: Arc<Target>,
    /// The name of the connections on the server.
    pub(super) client_name: String,
    /// How long making a connection may take.
    pub(super) timeout: Duration,
}

impl Connector {
    /// Makes a connection for commands.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        if let Target::Cluster(client, _) = &*self.target {
            let made = client.get_async_connection().await;
            return made.map(Connection::Cluster).map_err(|error| Failure::of(&error, "connect").error);
        }
        // no timeout of the library: it would need the caller to be on a runtime, and each call has a
        // budget
        self.connect_to_one(AsyncConnectionConfig::new().set_response_timeout(None))
            .await
            .map(Connection::One)
    }

    /// Makes a connection to one server: the only one, the master, or any node of a Cluster.
    pub(super) async fn connect_to_one(
        &self,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Error> {
        let failed = |error| Failure::of(&error, "connect").error;
        let config = config.set_connection_timeout(Some(self.timeout));
        let mut connection = match &*self.target {
            Target::One(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?
            }
            Target::Sentinels(sentinels) => {
                let mut client = sentinels.client().map_err(failed)?;
                client.get_async_connection_with_config(&config).await.map_err(failed)?
            }
            Target::Cluster(_, nodes) => {
                let node = &nodes[random() as usize % nodes.len()];
                node.get_multiplexed_async_connection_with_config(&config).await.map_err(failed)?
            }
        };
        if !self.client_name.is_empty() {
            let mut name = ::redis::cmd("CLIENT");
            name.arg("SETNAME").arg(&self.client_name);
            // a user without the right to set a name does without one
            let _ = connection.send_packed_command(&name).await;
        }
        Ok(connection)
    }
}
