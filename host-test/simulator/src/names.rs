//! The words that tenants are made of: people, organizations and roles. All made up.
//!
//! Some names are here to be awkward: not in Latin letters, with quotes or apostrophes, right to
//! left, of one letter, or very long.

/// A name as it is shown, and as it is written in an email address.
pub(super) struct Name {
    pub(super) shown: &'static str,
    pub(super) ascii: &'static str,
}

const fn name(shown: &'static str, ascii: &'static str) -> Name {
    Name { shown, ascii }
}

/// At most 256, so that an index fits a byte; so are [`LAST_NAMES`] and [`DOMAINS`].
pub(super) const FIRST_NAMES: &[Name] = &[
    name("Anna", "anna"),
    name("Zoë", "zoe"),
    name("José María", "jose-maria"),
    name("Mehmet", "mehmet"),
    name("Søren", "soren"),
    name("Chloé", "chloe"),
    name("Łukasz", "lukasz"),
    name("Siobhán", "siobhan"),
    name("Robert \"Bob\"", "bob"),
    name("D'Arcy", "darcy"),
    name("Олена", "olena"),
    name("太郎", "taro"),
    name("민준", "minjun"),
    name("فاطمة", "fatima"),
    name("Ayşe", "ayse"),
    name("Nguyễn", "nguyen"),
    name("Priya", "priya"),
    name("Kwame", "kwame"),
    name("Ingrid", "ingrid"),
    name("Luca", "luca"),
    name("Mia", "mia"),
    name("Oliver", "oliver"),
    name("Amélie", "amelie"),
    name("Björn", "bjorn"),
    name("Ana Sofía", "ana-sofia"),
    name("Jean-Luc", "jean-luc"),
    name("Γιώργος", "giorgos"),
    name("Noah", "noah"),
    name("Emma", "emma"),
    name("Liam", "liam"),
    name("Aisha", "aisha"),
    name("Tomáš", "tomas"),
    name("Žofie", "zofie"),
    name("Márton", "marton"),
    name("Hanna", "hanna"),
    name("Ravi", "ravi"),
    name("Grace", "grace"),
    name("Daniel", "daniel"),
    name("Yara", "yara"),
    name("O", "o"),
];

pub(super) const LAST_NAMES: &[Name] = &[
    name("Müller", "mueller"),
    name("O'Brien", "obrien"),
    name("García Márquez", "garcia-marquez"),
    name("Yılmaz", "yilmaz"),
    name("Ångström", "angstrom"),
    name("Dubois", "dubois"),
    name("Wójcik", "wojcik"),
    name("Ní Dhomhnaill", "ni-dhomhnaill"),
    name("Шевченко", "shevchenko"),
    name("山田", "yamada"),
    name("김", "kim"),
    name("الزهراني", "alzahrani"),
    name("Trần", "tran"),
    name("Patel", "patel"),
    name("Mensah", "mensah"),
    name("Hansen", "hansen"),
    name("D’Angelo", "dangelo"),
    name("Smith", "smith"),
    name("Johnson", "johnson"),
    name("van der Berg", "vanderberg"),
    name("Sørensen", "sorensen"),
    name("Παπαδόπουλος", "papadopoulos"),
    name("Novák", "novak"),
    name("Nagy", "nagy"),
    name("Silva", "silva"),
    name("Rossi", "rossi"),
    name("Ivanović", "ivanovic"),
    name("Lindqvist", "lindqvist"),
    name("Okonkwo", "okonkwo"),
    name("Haddad", "haddad"),
    name("Kowalska", "kowalska"),
    name("Meyer \\ Sons", "meyer"),
    name("Weiß", "weiss"),
    name("Çelik", "celik"),
    name("Martin", "martin"),
    name("Wilson", "wilson"),
    name("Brown", "brown"),
    name("Jones", "jones"),
    name("X", "x"),
    name(
        "Wolfeschlegelsteinhausenbergerdorff Montgomery-Featherstonehaugh de la Santísima \
         Trinidad y Todos los Santos von Hohenlohe-Waldenburg-Schillingsfürst",
        "wolfeschlegelsteinhausenbergerdorff",
    ),
];

/// All reserved for examples, so that no mail can ever arrive anywhere.
pub(super) const DOMAINS: &[&str] = &[
    "example.com",
    "example.org",
    "example.net",
    "mail.example",
    "corp.example.com",
];

pub(super) const ORGANIZATION_FIRST_WORDS: &[&str] = &[
    "Alder", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Île", "Juniper",
    "König", "Lumen", "Meridian", "Nimbus", "Ópal", "Pine", "Quartz", "River", "Summit", "Tidal",
];

pub(super) const ORGANIZATION_LAST_WORDS: &[&str] = &[
    "Logistics",
    "& Sons",
    "GmbH",
    "Dental Care",
    "Foods",
    "Law \"LLP\"",
    "Robotics",
    "School District",
    "S.p.A.",
    "Insurance",
];

/// Names and descriptions of roles for technicians.
pub(super) const TECHNICIAN_ROLES: &[(&str, &str)] = &[
    ("Help Desk", "Answers tickets and restarts devices"),
    (
        "Service Technician",
        "Works on devices of all organizations",
    ),
    ("Backup Operator", "Runs and restores backups"),
    ("Patch Manager", "Approves patches"),
    ("Read Only", "Sees everything, changes nothing"),
    ("Billing", "Sees invoices and licenses"),
    ("Security Analyst", "Handles alerts of the antivirus"),
    ("Außendienst", "Technicians on site in Germany"),
];

/// Names and descriptions of roles for end users.
pub(super) const END_USER_ROLES: &[(&str, &str)] = &[
    ("Portal User", "Everybody who may sign in to the portal"),
    (
        "Organization Manager",
        "Sees all devices of the organization",
    ),
    ("Remote Access", "Reaches the own device from elsewhere"),
    ("Ticket Approver", "Approves tickets of colleagues"),
    ("Équipe Paris", "End users of the office in Paris"),
    ("Contractor", "People from outside"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_of_a_table_fits_a_byte() {
        assert!(FIRST_NAMES.len().max(LAST_NAMES.len()).max(DOMAINS.len()) <= 256);
    }

    #[test]
    fn every_name_could_have_been_given_through_the_api() {
        for name in FIRST_NAMES.iter().chain(LAST_NAMES) {
            assert!(
                (1..=150).contains(&name.shown.chars().count()),
                "{}",
                name.shown
            );
        }
    }
}
