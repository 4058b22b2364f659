//! Which addresses may be connected to.
//!
//! The origin that an administrator wrote down says by what name a tenant is reached, and DNS says where that is. Whoever answers
//! for the name must not be able to lead requests, and the secret in them, to this computer or to what only this computer is
//! trusted by.
//!
//! What is special is taken from IANA's registries of special-purpose addresses (RFC 6890), and from where clouds have services of
//! their own. For IPv6 the global rule is the other way round: only what is given out (`2000::/3`) is global, so that what is
//! reserved in future is refused already.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Addresses, literal, may_be_public};

/// Where clouds tell a computer its own credentials, beyond the link-local and reserved addresses that most of them use.
const METADATA: [IpAddr; 4] = [
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure's agent.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // Google Cloud.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Scaleway.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// Who is connected to, and so by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A tenant.
    Tenant(Addresses),
    /// A proxy. Its address is the word of who runs this program, so it may be inside; but not where no computer is that passes
    /// anything on.
    Proxy,
}

impl Rule {
    /// Whether this host may turn out to have this address.
    pub(crate) fn allows(self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Proxy => !is_never_a_tenant(address),
            Self::Tenant(Addresses::Global) => is_global(address),
            Self::Tenant(Addresses::Development) => may_be_at(host, address),
        }
    }

    /// Whether this host may be connected to at all, as far as its name tells.
    pub(crate) fn allows_host(self, host: &str) -> bool {
        let is_public = self != Self::Tenant(Addresses::Global) || may_be_public(host);
        is_public && literal(host).is_none_or(|address| self.allows(host, address))
    }
}

/// In development: `localhost` is this computer, and no other name is. Private networks (RFC 1918, unique local addresses) are
/// allowed, because an organization may reach its tenant through a server of its own.
fn may_be_at(host: &str, address: IpAddr) -> bool {
    let is_local = address.to_canonical().is_loopback();
    if literal(host).is_some() {
        // Its word is taken.
        !is_never_a_tenant(address)
    } else if host.eq_ignore_ascii_case("localhost") {
        is_local
    } else {
        !is_local && !is_never_a_tenant(address)
    }
}

/// Whether no tenant can be there: an address that is no one computer's, that holds for one network link only, that translates
/// to such a one or to this computer, or that belongs to the machinery of a cloud.
pub(super) fn is_never_a_tenant(address: IpAddr) -> bool {
    let address = address.to_canonical();
    METADATA.contains(&address)
        || match address {
            IpAddr::V4(address) => is_never_a_tenant_v4(address),
            IpAddr::V6(address) => is_never_a_tenant_v6(address),
        }
}

fn is_never_a_tenant_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // "This network"; some systems take any of it for this computer.
        [0, ..] => true,
        // Protocol assignments; a cloud has its metadata there (192.0.0.192, Oracle).
        [192, 0, 0, _] => true,
        // Reserved, and broadcast.
        [240..=255, ..] => true,
        _ => address.is_link_local() || address.is_multicast(),
    }
}

fn is_never_a_tenant_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Unspecified.
        [0, 0, 0, 0, 0, 0, 0, 0] => true,
        // Any prefix with 169.254.169.254 as the last 32 bits, as clouds write the address of their metadata (fd00:c1::, Oracle).
        [.., 0xa9fe, 0xa9fe] => true,
        // Amazon's services for its computers.
        [0xfd00, 0xec2, ..] => true,
        // IPv4 that a translator makes of it: stateless (SIIT), and by a local NAT64, which may have IPv4 at several places.
        [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 1, ..] => true,
        // Teredo, whose server and client are both IPv4 addresses that anybody may write in there.
        [0x2001, 0, ..] => true,
        // Discard-only, and the dummy prefix.
        [0x100, 0, 0, 0 | 1, ..] => true,
        // Link-local, and site-local as it was before there were unique local addresses.
        [0xfe80..=0xfeff, ..] => true,
        // Multicast.
        [0xff00..=0xffff, ..] => true,
        _ => translated(address)
            .is_some_and(|inner| inner.is_loopback() || is_never_a_tenant(IpAddr::V4(inner))),
    }
}

/// Whether it is an address of the internet, which is the same everywhere.
pub(super) fn is_global(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !is_never_a_tenant(address)
        && match address {
            IpAddr::V4(address) => is_global_v4(address),
            IpAddr::V6(address) => is_global_v6(address),
        }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    !match address.octets() {
        // Shared by the customers of a carrier.
        [100, 64..=127, ..] => true,
        // Relays for 6to4, of which there are none any more.
        [192, 88, 99, _] => true,
        // Benchmarks.
        [198, 18 | 19, ..] => true,
        _ => address.is_loopback() || address.is_private() || address.is_documentation(),
    }
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let is_given_out = match address.segments() {
        // NAT64: as global as the IPv4 address in it.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => true,
        // Protocol assignments, documentation, 6to4, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            false
        }
        [first, ..] => first & 0xe000 == 0x2000,
    };
    is_given_out && translated(address).is_none_or(is_global_v4)
}

/// The IPv4 address that a gateway sends on to what is sent to this one: NAT64 (RFC 6052), 6to4 (RFC 3056), ISATAP (RFC 5214), and
/// the IPv4-compatible addresses that came before them.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let (high, low) = match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] => (g, h),
        [0x2002, high, low, ..] => (high, low),
        [_, _, _, _, 0 | 0x200, 0x5efe] => (g, h),
        // `::1` is this computer, which is not for here to decide.
        [0, 0, 0, 0, 0, 0] if (g, h) != (0, 1) => (g, h),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be at an address.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum May {
        /// A tenant, whichever rule holds.
        Always,
        /// A tenant in development: an address of a private network, or one that no rule speaks of.
        InDevelopment,
        /// `localhost`, and in development.
        Localhost,
        /// Nothing.
        Never,
    }
    use May::*;

    const ADDRESSES: &[(&str, May)] = &[
        // IPv4.
        ("93.184.216.34", Always),
        ("1.1.1.1", Always),
        ("100.63.255.255", Always),
        ("100.128.0.1", Always),
        ("172.15.0.1", Always),
        ("172.32.0.1", Always),
        ("192.0.1.1", Always),
        ("198.17.0.1", Always),
        ("198.20.0.1", Always),
        ("223.255.255.255", Always),
        ("10.0.0.1", InDevelopment),
        ("172.16.5.4", InDevelopment),
        ("172.31.255.255", InDevelopment),
        ("192.168.1.1", InDevelopment),
        ("100.64.0.1", InDevelopment),
        ("100.127.255.255", InDevelopment),
        ("192.0.2.1", InDevelopment),
        ("198.51.100.1", InDevelopment),
        ("203.0.113.1", InDevelopment),
        ("198.18.0.1", InDevelopment),
        ("198.19.255.255", InDevelopment),
        ("192.88.99.1", InDevelopment),
        ("127.0.0.1", Localhost),
        ("127.255.255.254", Localhost),
        ("0.0.0.0", Never),
        ("0.1.2.3", Never),
        ("169.254.169.254", Never),
        ("169.254.0.1", Never),
        ("192.0.0.1", Never),
        ("192.0.0.192", Never),
        ("224.0.0.1", Never),
        ("239.255.255.255", Never),
        ("240.0.0.1", Never),
        ("250.1.2.3", Never),
        ("255.255.255.255", Never),
        ("100.100.100.200", Never),
        ("168.63.129.16", Never),
        // IPv6.
        ("2606:2800:220:1:248:1893:25c8:1946", Always),
        ("2001:200::1", Always),
        ("2a00:1450:4001:831::200e", Always),
        ("3ffe::1", Always),
        ("fd12:3456:789a::1", InDevelopment),
        ("fc00::1", InDevelopment),
        ("2001:db8::1", InDevelopment),
        ("3fff::1", InDevelopment),
        ("3fff:fff::1", InDevelopment),
        ("2001:2::1", InDevelopment),
        ("2001:20::1", InDevelopment),
        ("5f00::1", InDevelopment),
        ("4000::1", InDevelopment),
        ("1::1", InDevelopment),
        ("::1", Localhost),
        ("::", Never),
        ("fe80::1", Never),
        ("febf::1", Never),
        ("fec0::1", Never),
        ("feff::1", Never),
        ("ff02::1", Never),
        ("ff0e::1", Never),
        ("100::1", Never),
        ("100:0:0:1::1", Never),
        // Of clouds.
        ("fd00:ec2::254", Never),
        ("fd00:ec2::23", Never),
        ("fd20:ce::254", Never),
        ("fd00:42::42", Never),
        ("fd00:c1::a9fe:a9fe", Never),
        ("fd12:3456::a9fe:a9fe", Never),
        ("2606:2800::a9fe:a9fe", Never),
        // IPv4 in IPv6: mapped.
        ("::ffff:93.184.216.34", Always),
        ("::ffff:10.0.0.1", InDevelopment),
        ("::ffff:100.64.0.1", InDevelopment),
        ("::ffff:127.0.0.1", Localhost),
        ("::ffff:169.254.169.254", Never),
        ("::ffff:168.63.129.16", Never),
        ("::ffff:240.0.0.1", Never),
        // Compatible.
        ("::93.184.216.34", InDevelopment),
        ("::127.0.0.1", Never),
        ("::169.254.169.254", Never),
        // By NAT64.
        ("64:ff9b::5db8:d822", Always),
        ("64:ff9b::a00:1", InDevelopment),
        ("64:ff9b::c0a8:101", InDevelopment),
        ("64:ff9b::6440:1", InDevelopment),
        ("64:ff9b::7f00:1", Never),
        ("64:ff9b::a9fe:a9fe", Never),
        ("64:ff9b::6464:64c8", Never),
        ("64:ff9b::a83f:8110", Never),
        ("64:ff9b::c000:c0", Never),
        ("64:ff9b::", Never),
        ("64:ff9b::f000:1", Never),
        ("64:ff9b:0:0:0:1:5db8:d822", InDevelopment),
        ("64:ff9b:1::5db8:d822", Never),
        ("64:ff9b:1:a9fe:a9:fe00::", Never),
        ("64:ff9b:1:ffff::1", Never),
        // By SIIT.
        ("::ffff:0:5db8:d822", Never),
        ("::ffff:0:7f00:1", Never),
        // By 6to4.
        ("2002:5db8:d822::1", InDevelopment),
        ("2002:a00:1::1", InDevelopment),
        ("2002:7f00:1::1", Never),
        ("2002:a9fe:a9fe::", Never),
        ("2002:f000:1::1", Never),
        // By Teredo: the server is in the clear, the client inverted.
        ("2001:0:5db8:d822:8000:63bf:a247:27dd", Never),
        ("2001::a9fe:a9fe", Never),
        ("2001:0:7f00:1::1", Never),
        // By ISATAP.
        ("2606:2800::5efe:5db8:d822", Always),
        ("2606:2800::200:5efe:5db8:d822", Always),
        ("2606:2800::5efe:a00:1", InDevelopment),
        ("2606:2800::5efe:7f00:1", Never),
        ("2606:2800::200:5efe:7f00:1", Never),
        ("fd12::5efe:a9fe:101", Never),
    ];

    #[test]
    fn each_address_is_where_the_rules_say() {
        for &(text, may) in ADDRESSES {
            let address = text.parse().expect(text);
            let development = Rule::Tenant(Addresses::Development);
            let global = Rule::Tenant(Addresses::Global);
            for name in ["tenant.example", "localhost.example"] {
                let expected = matches!(may, Always | InDevelopment);
                assert_eq!(
                    development.allows(name, address),
                    expected,
                    "{name} at {text}"
                );
                assert_eq!(
                    global.allows(name, address),
                    may == Always,
                    "{name} at {text}"
                );
            }
            for name in ["localhost", "LocalHost"] {
                assert_eq!(
                    development.allows(name, address),
                    may == Localhost,
                    "{name} at {text}"
                );
                assert!(!global.allows_host(name), "{name}");
            }
            assert_eq!(
                Rule::Proxy.allows("proxy.example", address),
                may != Never,
                "a proxy at {text}"
            );
        }
    }

    #[test]
    fn an_address_in_the_place_of_a_name_is_held_against_the_rules_too() {
        for &(text, may) in ADDRESSES {
            let host = match text.contains(':') {
                true => format!("[{text}]"),
                false => text.to_owned(),
            };
            let allowed = |rule: Rule| rule.allows_host(&host);
            assert_eq!(
                allowed(Rule::Tenant(Addresses::Development)),
                may != Never,
                "{text}"
            );
            assert_eq!(
                allowed(Rule::Tenant(Addresses::Global)),
                may == Always,
                "{text}"
            );
            assert_eq!(allowed(Rule::Proxy), may != Never, "{text}");
        }
    }
}
