//! Floats in keys: their canonical form, in which all NaNs are one, and `-0.0` is `0.0`.

use std::hash::{Hash, Hasher};

use super::Float;
use super::by_copy::Primitive;
use super::canonical::Canonical;

macro_rules! float_keys {
    ($($float:ident $bits:ident)*) => {$(
        impl Float<$bits> {
            #[inline(always)]
            fn canonical(value: $float) -> Self {
                // `-0.0 + 0.0` is `0.0`; every NaN becomes the one of the standard library
                let canonical = if value.is_nan() { $float::NAN } else { value + 0.0 };
                Self(canonical.to_bits())
            }

            /// The float: of all NaNs the one that the standard library names, of the two zeros the positive one.
            pub fn get(self) -> $float {
                $float::from_bits(self.0)
            }
        }

        impl std::fmt::Debug for Float<$bits> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.get().fmt(f)
            }
        }

        #[cfg(feature = "engines")]
        impl serde::Serialize for Float<$bits> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.get().serialize(serializer)
            }
        }

        impl Primitive for $float {
            type Key = Float<$bits>;
            #[inline(always)]
            fn to_key(self) -> Self::Key {
                Float::<$bits>::canonical(self)
            }
        }

        impl Canonical for $float {
            type Owned = Float<$bits>;
            #[inline(always)]
            fn hash_canonical<H: Hasher>(&self, state: &mut H) {
                Float::<$bits>::canonical(*self).0.hash(state);
            }
            #[inline(always)]
            fn same_canonical(&self, owned: &Self::Owned) -> bool {
                Float::<$bits>::canonical(*self) == *owned
            }
            #[inline]
            fn own_canonical(&self) -> Self::Owned {
                Float::<$bits>::canonical(*self)
            }
        }
    )*};
}
float_keys!(f32 u32 f64 u64);
