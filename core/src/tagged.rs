//! Enums whose variant a word in the same JSON object names: `{"kind": "credit", …}`. They are read
//! as an object with the fields of all variants, any of which may be absent; then the word says
//! which of them are needed. They are written as serde derives it.
//!
//! Why reading is not derived too: what is derived first copies the object into a tree, and reads
//! everything in it from that tree by code of its own, beside the code that reads it from the text.

use serde::de;

/// Makes `$enum` readable. Of each variant: its word, its fields, and after a semicolon those that
/// may be absent. After `=` stands what reads a field otherwise than its type does. `by` names the field of the word; after `from`, the fields stand in an object of
/// their own, and whoever reads that calls `$enum::read_as`.
macro_rules! read_tagged {
    ($enum:ident by $tag:ident, $fields:ident {
        $($field:ident: $type:ty $(= $read:literal)?),* $(,)?
    } $($arms:tt)*) => {
        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Whole {
                    $tag: String,
                    $(#[serde(default $(, deserialize_with = $read)?)] $field: Option<$type>,)*
                }
                let Whole { $tag, $($field),* } = Whole::deserialize(deserializer)?;
                $enum::read_as(&$tag, $fields { $($field),* })
            }
        }

        /// The fields of all variants.
        struct $fields {
            $($field: Option<$type>,)*
        }

        read_tagged!(@pick $enum, $fields $($arms)*);
    };
    ($enum:ident from $fields:ident {
        $($field:ident: $type:ty $(= $read:literal)?),* $(,)?
    } $($arms:tt)*) => {
        /// The fields of all variants.
        #[derive(Default, serde::Deserialize)]
        struct $fields {
            $(#[serde(default $(, deserialize_with = $read)?)] $field: Option<$type>,)*
        }

        read_tagged!(@pick $enum, $fields $($arms)*);
    };
    (@pick $enum:ident, $fields:ident $(
        $word:literal => $variant:ident
            $({ $($has:ident),* $(; $($may:ident),*)? })?
            $(($inner:ident { $($part:ident),* }))?
    ),* $(,)?) => {
        impl $enum {
            fn read_as<E: serde::de::Error>(word: &str, fields: $fields) -> Result<Self, E> {
                use crate::tagged::required;
                Ok(match word {
                    $($word => $enum::$variant
                        $({
                            $($has: required(fields.$has, stringify!($has))?,)*
                            $($($may: fields.$may,)*)?
                        })?
                        $(($inner { $($part: required(fields.$part, stringify!($part))?),* }))?,)*
                    other => return Err(E::unknown_variant(other, &[$($word),*])),
                })
            }
        }

        // Why: a variant that could be written and not read would only show where it is read.
        const _: fn(&$enum) = |value| match value {
            $($enum::$variant { .. })|* => (),
        };
    };
}
pub(crate) use read_tagged;

/// A field that its variant needs, as the type that it has there. *Errors*: when it is absent or
/// does not fit.
pub(crate) fn required<T, U: TryFrom<T>, E: de::Error>(
    value: Option<T>,
    name: &'static str,
) -> Result<U, E> {
    let value = value.ok_or_else(|| E::missing_field(name))?;
    U::try_from(value).map_err(|_| E::custom(format_args!("{name} is out of range")))
}
