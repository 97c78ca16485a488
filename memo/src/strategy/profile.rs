//! What a strategy is told of a function, of its types and of the engines.

use std::any::TypeId;
use std::time::Duration;

use memo_engines::Capability;

use crate::far::fingerprint::Shape;
use crate::settings::Settings;

/// What is known of a type when the program is compiled.
#[derive(Debug, Clone, Copy)]
pub struct TypeProfile {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
    pub(super) size: usize,
    pub(super) serializable: bool,
}

impl TypeProfile {
    pub(crate) fn of<T: 'static>(serializable: bool) -> Self {
        TypeProfile {
            id: TypeId::of::<T>(),
            name: std::any::type_name::<T>(),
            size: size_of::<T>(),
            serializable,
        }
    }

    /// Its name, as [`std::any::type_name`] gives it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its size in memory, without what it points at.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether its values can leave the process: `Serialize` for keys, and for results `DeserializeOwned` too. Of a
    /// type parameter this is known only where the function demands it in its bounds.
    pub fn is_serializable(&self) -> bool {
        self.serializable
    }

    /// Whether it is `T`.
    pub fn is<T: 'static>(&self) -> bool {
        self.id == TypeId::of::<T>()
    }
}

/// What strategies are told about the types of a function.
#[derive(Debug, Clone)]
pub struct Profiles {
    pub(crate) key: TypeProfile,
    /// The parts of a key that has several.
    pub(crate) parts: Vec<(TypeId, &'static str)>,
    pub(crate) value: TypeProfile,
    /// How results are read, if they can be.
    pub(crate) shape: Option<fn() -> Shape>,
}

impl Profiles {
    /// Why results cannot leave the process, if they cannot.
    pub(crate) fn lacks(&self) -> Option<String> {
        let lacking = |what: &str, of: &TypeProfile, lacks: &str| format!("{what} `{}` {lacks}", of.name);
        if !self.value.serializable {
            Some(lacking("results of type", &self.value, "cannot be written and read (serde)"))
        } else if !self.key.serializable {
            Some(lacking("keys of type", &self.key, "cannot be written (serde)"))
        } else {
            None
        }
    }
}

/// An engine that a plan may name.
#[derive(Debug, Clone)]
pub struct EngineProfile {
    pub(crate) name: String,
    pub(crate) capability: Capability,
}

impl EngineProfile {
    /// The name under which it is registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it can do.
    pub fn capability(&self) -> &Capability {
        &self.capability
    }
}

/// What is known of a function before its first call.
#[derive(Debug)]
pub struct FunctionProfile<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: &'a Settings,
    pub(crate) types: &'a Profiles,
    pub(crate) engines: Vec<EngineProfile>,
}

impl FunctionProfile<'_> {
    /// Crate, module path, type and function; or what the option `name` says.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The type of its keys, as they are kept: borrowed arguments owned, several as a tuple.
    pub fn key(&self) -> &TypeProfile {
        &self.types.key
    }

    /// Whether `T` is the type of its keys, or of a part of them.
    pub fn has_key<T: 'static>(&self) -> bool {
        self.has_key_id(TypeId::of::<T>())
    }

    pub(super) fn has_key_id(&self, id: TypeId) -> bool {
        self.types.key.id == id || self.types.parts.iter().any(|(part, _)| *part == id)
    }

    /// The type of its results, as they are kept: of a `Result` the `Ok`.
    pub fn value(&self) -> &TypeProfile {
        &self.types.value
    }

    /// Whether keys and results can become bytes, which an engine that outlives the process needs.
    pub fn can_outlive(&self) -> bool {
        self.types.lacks().is_none()
    }

    /// Whether it is an `async fn`.
    pub fn is_async(&self) -> bool {
        self.settings.is_async
    }

    /// The lifetime that its author asked for.
    pub fn ttl(&self) -> Option<Duration> {
        self.settings.ttl
    }

    /// `persist = true`: results should outlive the process.
    pub fn persist(&self) -> bool {
        self.settings.hints.persist
    }

    /// `shared = true`: results should be shared by machines.
    pub fn shared(&self) -> bool {
        self.settings.hints.shared
    }

    /// `large = true`: results are too large for memory.
    pub fn large(&self) -> bool {
        self.settings.hints.large
    }

    /// The engines beside memory that are there now, in alphabetical order.
    pub fn engines(&self) -> &[EngineProfile] {
        &self.engines
    }

    /// The first engine by `order` of those that `fit`.
    pub(super) fn engine<O: Ord>(
        &self,
        fit: impl Fn(&Capability) -> bool,
        order: impl Fn(&Capability) -> O,
    ) -> Option<&str> {
        let fitting = self.engines.iter().filter(|engine| fit(&engine.capability));
        fitting.min_by_key(|engine| order(&engine.capability)).map(EngineProfile::name)
    }
}
