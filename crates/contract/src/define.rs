//! How types with cases and flags are defined: each name that WIT spells otherwise than Rust stands there once.

/// Defines an enumeration, with the name of each case as WIT spells it.
macro_rules! enumeration {
    ($(#[$about:meta])+ $type:ident { $($(#[$docs:meta])+ $case:ident => $name:literal,)+ }) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(
            feature = "wasmtime",
            derive(
                wasmtime::component::ComponentType,
                wasmtime::component::Lift,
                wasmtime::component::Lower
            ),
            component(enum)
        )]
        #[repr(u8)]
        pub enum $type {
            $(
                $(#[$docs])+
                #[cfg_attr(feature = "wasmtime", component(name = $name))]
                $case,
            )+
        }

        impl $type {
            /// The name of the case, as WIT spells it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $name,)+
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

/// Defines a variant: an enumeration whose cases may carry something.
macro_rules! variant {
    (
        $(#[$about:meta])+
        $type:ident { $($(#[$docs:meta])+ $case:ident $(($carried:ty))? => $name:literal,)+ }
    ) => {
        $(#[$about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[cfg_attr(
            feature = "wasmtime",
            derive(
                wasmtime::component::ComponentType,
                wasmtime::component::Lift,
                wasmtime::component::Lower
            ),
            component(variant)
        )]
        pub enum $type {
            $(
                $(#[$docs])+
                #[cfg_attr(feature = "wasmtime", component(name = $name))]
                $case $(($carried))?,
            )+
        }

        impl $type {
            /// The name of the case, as WIT spells it.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$case { .. } => $name,)+
                }
            }
        }
    };
}

/// Defines a set of flags, in a private module of this name, since wasmtime's macro takes no documentation: it stands where
/// the type is taken out of the module.
macro_rules! flags {
    (
        $(#[doc = $about:literal])+
        $module:ident: $type:ident {
            $($(#[doc = $docs:literal])+ $flag:ident = $bit:literal => $name:literal,)+
        }
    ) => {
        #[cfg(feature = "wasmtime")]
        #[expect(missing_docs, reason = "wasmtime's macro takes none")]
        mod $module {
            wasmtime::component::flags! {
                $type { $(#[component(name = $name)] const $flag;)+ }
            }
        }

        #[cfg(not(feature = "wasmtime"))]
        mod $module {
            $(#[doc = $about])+
            #[derive(Clone, Copy, Default, PartialEq, Eq)]
            pub struct $type(u8);

            impl $type {
                $(
                    $(#[doc = $docs])+
                    pub const $flag: Self = Self($bit);
                )+

                /// None of them.
                pub fn empty() -> Self {
                    Self::default()
                }

                /// All of them.
                pub fn all() -> Self {
                    Self($($bit)|+)
                }

                /// Whether all of these are among them.
                pub fn contains(&self, other: Self) -> bool {
                    self.0 & other.0 == other.0
                }
            }

            impl std::ops::BitOr for $type {
                type Output = Self;

                fn bitor(self, other: Self) -> Self {
                    Self(self.0 | other.0)
                }
            }

            impl std::ops::BitOrAssign for $type {
                fn bitor_assign(&mut self, other: Self) {
                    *self = *self | other;
                }
            }

            impl std::fmt::Debug for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_list().entries(self.names()).finish()
                }
            }
        }

        $(#[cfg_attr(feature = "wasmtime", doc = $about)])+
        #[cfg_attr(feature = "wasmtime", doc = "")]
        $(#[cfg_attr(feature = "wasmtime", doc = concat!("- `", stringify!($flag), "`:", $($docs),+))])+
        #[doc(inline)]
        pub use self::$module::$type;

        impl $type {
            /// The names of those that are in it, as WIT spells them.
            pub fn names(self) -> Vec<&'static str> {
                let all = [$((Self::$flag, $name)),+];
                all.into_iter()
                    .filter_map(|(flag, name)| self.contains(flag).then_some(name))
                    .collect()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.names())
            }
        }
    };
}
