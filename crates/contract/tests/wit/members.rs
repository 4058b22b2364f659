//! What a type is made of, whatever its kind: fields, cases and flags all have a name, and documentation.

use wit_parser::{Docs, InterfaceId, Resolve, Type, TypeDef, TypeDefKind};

/// A field of a record, a case of a variant or an enum, or a flag.
pub struct Member<'a> {
    pub name: &'a str,
    /// What a field is, or what a case carries.
    pub ty: Option<&'a Type>,
    pub docs: &'a Docs,
}

/// The members of a type, in the order in which it declares them; none where it is another name for something.
pub fn members(definition: &TypeDef) -> Vec<Member<'_>> {
    fn member<'a>(name: &'a str, ty: Option<&'a Type>, docs: &'a Docs) -> Member<'a> {
        Member { name, ty, docs }
    }
    match &definition.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter();
            fields
                .map(|f| member(&f.name, Some(&f.ty), &f.docs))
                .collect()
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            cases
                .map(|c| member(&c.name, c.ty.as_ref(), &c.docs))
                .collect()
        }
        TypeDefKind::Enum(of) => {
            let cases = of.cases.iter();
            cases.map(|c| member(&c.name, None, &c.docs)).collect()
        }
        TypeDefKind::Flags(flags) => {
            let flags = flags.flags.iter();
            flags.map(|f| member(&f.name, None, &f.docs)).collect()
        }
        _ => Vec::new(),
    }
}

/// The types that an interface defines itself; others it only uses from where they are defined, and documented.
pub fn defined(
    resolve: &Resolve,
    interface: InterfaceId,
) -> impl Iterator<Item = (&str, &TypeDef)> {
    let types = resolve.interfaces[interface].types.iter();
    types
        .map(|(name, id)| (name.as_str(), &resolve.types[*id]))
        .filter(|(_, definition)| !matches!(definition.kind, TypeDefKind::Type(Type::Id(_))))
}
