//! The contract as a page to read: `docs/contract.md`. The world comes first, then what it exports, then what it imports.

use wit_parser::{
    Docs, Function, InterfaceId, PackageId, Resolve, Type, TypeDef, TypeDefKind, WorldId, WorldItem,
};

use crate::links::Links;
use crate::members::{Member, defined, members};

const BEFORE: &str = "\
This page is written from `wit/` by `cargo xtask docs`; a test fails when they differ. A connector is a component for the world
below: it exports what it can do, and imports what its host does for it.
";

/// The page for the one world of `package`.
pub fn page(resolve: &Resolve, package: PackageId) -> String {
    let links = Links::new(resolve, package);
    let writer = Writer {
        resolve,
        package,
        links,
    };
    let package = &resolve.packages[package];
    let mut page = format!("# The contract `{}`\n\n", package.name);
    page += &writer.docs(&package.docs, &[]);
    page += &format!("\n{BEFORE}\n");
    for world in package.worlds.values() {
        page += &writer.world(*world);
    }
    page
}

struct Writer<'a> {
    resolve: &'a Resolve,
    package: PackageId,
    links: Links,
}

impl Writer<'_> {
    fn world(&self, id: WorldId) -> String {
        let world = &self.resolve.worlds[id];
        let mut exports = interfaces(world.exports.values());
        // What a connector does, before the words that it is said in.
        exports.sort_by_key(|id| self.resolve.interfaces[*id].functions.is_empty());
        let imports = interfaces(world.imports.values());
        let mut text = format!("## world `{}`\n\n", world.name);
        text += &self.docs(&world.docs, &[]);
        for (title, interfaces) in [("exports", &exports), ("imports", &imports)] {
            text += &format!("\n| {title} | |\n| --- | --- |\n");
            for interface in interfaces {
                text += &self.interface_row(*interface);
            }
        }
        for interface in exports.into_iter().chain(imports) {
            if self.resolve.interfaces[interface].package == Some(self.package) {
                text += &self.interface(interface);
            }
        }
        text
    }

    fn interface_row(&self, id: InterfaceId) -> String {
        let interface = &self.resolve.interfaces[id];
        let name = interface.name.as_deref().expect("it has a name");
        let docs = self.docs(&interface.docs, &[]);
        let first = docs.split("\n\n").next().unwrap_or_default();
        let name = if interface.package == Some(self.package) {
            format!("[`{name}`](#interface-{name})")
        } else {
            format!("`{}`", self.resolve.id_of(id).expect("it has a name"))
        };
        format!("| {name} | {} |\n", cell(first))
    }

    fn interface(&self, id: InterfaceId) -> String {
        let interface = &self.resolve.interfaces[id];
        let name = interface.name.as_deref().expect("it has a name");
        let mut text = format!("\n## interface `{name}`\n\n");
        text += &self.docs(&interface.docs, &[]);
        for function in interface.functions.values() {
            text += &self.function(function);
        }
        for (name, definition) in defined(self.resolve, id) {
            text += &self.definition(name, definition);
        }
        text
    }

    fn function(&self, function: &Function) -> String {
        let parameters: Vec<_> = function
            .params
            .iter()
            .map(|parameter| format!("`{}`: {}", parameter.name, self.ty(&parameter.ty)))
            .collect();
        let result = match &function.result {
            Some(ty) => format!(" → {}", self.ty(ty)),
            None => String::new(),
        };
        let signature = format!("({}){result}", parameters.join(", "));
        let mut names: Vec<_> = function.params.iter().map(|p| p.name.as_str()).collect();
        for parameter in &function.params {
            if let Type::Id(id) = parameter.ty {
                names.extend(members(&self.resolve.types[id]).iter().map(|m| m.name));
            }
        }
        let docs = self.docs(&function.docs, &names);
        format!("\n### func `{}`\n\n{signature}\n\n{docs}", function.name)
    }

    fn definition(&self, name: &str, definition: &TypeDef) -> String {
        let members = members(definition);
        let names: Vec<_> = members.iter().map(|member| member.name).collect();
        let docs = self.docs(&definition.docs, &names);
        let heading = format!("\n### {} `{name}`\n\n", definition.kind.as_str());
        let heads = match &definition.kind {
            TypeDefKind::Record(_) => "| field | type | meaning |\n| --- | --- | --- |",
            TypeDefKind::Variant(_) => "| case | carries | meaning |\n| --- | --- | --- |",
            TypeDefKind::Enum(_) => "| case | meaning |\n| --- | --- |",
            TypeDefKind::Flags(_) => "| flag | meaning |\n| --- | --- |",
            kind => return format!("{heading}= {}\n\n{docs}", self.kind(kind)),
        };
        let has_types = !matches!(
            &definition.kind,
            TypeDefKind::Enum(_) | TypeDefKind::Flags(_)
        );
        let rows: String = members
            .iter()
            .map(|member| self.row(member, has_types, &names))
            .collect();
        format!("{heading}{docs}\n{heads}\n{rows}")
    }

    fn row(&self, member: &Member, has_types: bool, names: &[&str]) -> String {
        let meaning = cell(&self.docs(member.docs, names));
        match (has_types, member.ty) {
            (false, _) => format!("| `{}` | {meaning} |\n", member.name),
            (true, None) => format!("| `{}` | | {meaning} |\n", member.name),
            (true, Some(ty)) => format!("| `{}` | {} | {meaning} |\n", member.name, self.ty(ty)),
        }
    }

    fn docs(&self, docs: &Docs, nearer: &[&str]) -> String {
        let text = docs.contents.as_deref().unwrap_or_default();
        format!("{}\n", self.links.text(text.trim(), nearer))
    }

    fn ty(&self, ty: &Type) -> String {
        let Type::Id(id) = ty else {
            return format!("`{}`", builtin(ty));
        };
        let definition = &self.resolve.types[*id];
        match &definition.name {
            Some(name) => self.links.name(name),
            None => self.kind(&definition.kind),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let optional = |ty: &Option<Type>| ty.map_or("_".to_string(), |ty| self.ty(&ty));
        match kind {
            TypeDefKind::Option(ty) => format!("option<{}>", self.ty(ty)),
            TypeDefKind::List(ty) => format!("list<{}>", self.ty(ty)),
            TypeDefKind::Result(of) => {
                format!("result<{}, {}>", optional(&of.ok), optional(&of.err))
            }
            TypeDefKind::Tuple(of) => {
                let types: Vec<_> = of.types.iter().map(|ty| self.ty(ty)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            TypeDefKind::Type(ty) => self.ty(ty),
            other => panic!("the page cannot show a {} yet", other.as_str()),
        }
    }
}

fn interfaces<'a>(items: impl Iterator<Item = &'a WorldItem>) -> Vec<InterfaceId> {
    let id = |item: &WorldItem| match item {
        WorldItem::Interface { id, .. } => *id,
        _ => panic!("the page can only show a world of interfaces"),
    };
    items.map(id).collect()
}

/// A text as it fits a cell of a table: on one line.
fn cell(text: &str) -> String {
    let paragraphs: Vec<_> = text
        .trim()
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect();
    paragraphs.join("<br>").replace('|', "\\|")
}

fn builtin(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::ErrorContext => "error-context",
        Type::Id(_) => unreachable!("a type with an id is defined somewhere"),
    }
}
