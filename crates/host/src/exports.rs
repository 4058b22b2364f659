//! The functions that a connector offers, as `wit/connector.wit` has them: found and held to their types when it is loaded.

use wasmtime::Store;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::error::Context;

use crate::contract::{
    Assignment, Change, CheckReport, Description, Failure, ListRequest, Mode, Page,
    ProvisionRequest,
};
use crate::instance::State;

/// What a connector exports.
const INTERFACE: &str = "identity:connector/connector@0.1.0";

/// Defines the functions, and where a component has them.
macro_rules! functions {
    ($($name:ident: ($($argument:ty),*) -> $answer:ty,)+) => {
        /// The functions of one instance.
        pub(crate) struct Exports {
            $(pub(crate) $name: TypedFunc<($($argument,)*), ($answer,)>,)+
        }

        /// Where a component has them.
        #[derive(Clone)]
        pub(crate) struct Places {
            $($name: ComponentExportIndex,)+
        }

        impl Places {
            /// Finds the functions, and makes sure that each takes and answers what it should.
            pub(crate) fn find(linked: &InstancePre<State>) -> wasmtime::Result<Self> {
                Ok(Self {
                    $($name: find::<($($argument,)*), ($answer,)>(linked, stringify!($name))?,)+
                })
            }

            /// The functions that an instance has there.
            pub(crate) fn of(
                &self,
                instance: &Instance,
                store: &mut Store<State>,
            ) -> wasmtime::Result<Exports> {
                Ok(Exports {
                    $($name: instance.get_typed_func(&mut *store, &self.$name)?,)+
                })
            }
        }
    };
}

functions! {
    describe: () -> Description,
    check: () -> Result<CheckReport, Failure>,
    list: (&'static ListRequest) -> Result<Page, Failure>,
    grant: (&'static Assignment, Mode) -> Result<Change, Failure>,
    revoke: (&'static Assignment, Mode) -> Result<Change, Failure>,
    provision: (&'static ProvisionRequest, Mode) -> Result<Change, Failure>,
}

fn find<Arguments, Answer>(
    linked: &InstancePre<State>,
    name: &str,
) -> wasmtime::Result<ComponentExportIndex>
where
    Arguments: ComponentNamedList + Lower,
    Answer: ComponentNamedList + Lift,
{
    let missing = |what: String| wasmtime::Error::msg(format!("it does not export {what}"));
    let component = linked.component();
    let interface = component
        .get_export_index(None, INTERFACE)
        .ok_or_else(|| missing(INTERFACE.to_string()))?;
    let Some((ComponentItem::ComponentFunc(function), place)) =
        component.get_export(Some(&interface), name)
    else {
        return Err(missing(format!("the function {name} of {INTERFACE}")));
    };
    // Undocumented, and what wasmtime's own `bindgen!` calls: otherwise types would only be looked at in an instance.
    function
        .typecheck::<Arguments, Answer>(&linked.instance_type())
        .with_context(|| format!("its function {name} of {INTERFACE} has other types"))?;
    Ok(place)
}
