//! Which addresses may be connected to.
//!
//! The origin that an administrator wrote down says by what name a tenant is reached, and DNS says where that is. Whoever answers
//! for the name must not be able to lead requests, and the secret in them, to this computer or to what only this computer is
//! trusted by.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds tell a computer its own credentials, beyond the link-local addresses that most of them use.
const METADATA: [IpAddr; 5] = [
    // Alibaba Cloud.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    // Azure's agent.
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    // AWS.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    // Google Cloud.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Scaleway.
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42)),
];

/// Whether a host of this name may turn out to have this address: `localhost` is this computer, and nothing else is.
///
/// Private networks (RFC 1918, unique local addresses) are allowed, because an organization may reach its tenant through a
/// proxy of its own.
pub(crate) fn may_be_at(host: &str, address: IpAddr) -> bool {
    let is_local = address.to_canonical().is_loopback();
    if host.eq_ignore_ascii_case("localhost") {
        is_local
    } else {
        !is_local && !is_never_a_tenant(address)
    }
}

/// Whether no tenant can be there: an address that is no one computer's, that holds for one network link only, or that belongs
/// to the machinery of a cloud.
pub(super) fn is_never_a_tenant(address: IpAddr) -> bool {
    let address = address.to_canonical();
    METADATA.contains(&address)
        || match address {
            IpAddr::V4(address) => is_never_a_tenant_v4(address),
            IpAddr::V6(address) => {
                address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unicast_link_local()
                    || translated(address).is_some_and(|inner| {
                        inner.is_loopback() || is_never_a_tenant(IpAddr::V4(inner))
                    })
            }
        }
}

fn is_never_a_tenant_v4(address: Ipv4Addr) -> bool {
    // All of 0.0.0.0/8 means "this network"; some systems take any of it for this computer.
    address.octets()[0] == 0
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
}

/// The IPv4 address that a gateway sends on to what is sent to this one: NAT64 (RFC 6052) and 6to4 (RFC 3056), and the
/// IPv4-compatible addresses that came before them.
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let (high, low) = match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] => (g, h),
        [0x2002, high, low, ..] => (high, low),
        // `::1` is this computer, which is not for here to decide.
        [0, 0, 0, 0, 0, 0] if (g, h) != (0, 1) => (g, h),
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(host: &str, address: &str) -> bool {
        may_be_at(host, address.parse().expect("the test gives an IP address"))
    }

    #[test]
    fn a_name_may_lead_to_the_internet_and_to_private_networks() {
        for address in [
            "93.184.216.34",
            "10.0.0.1",
            "172.16.5.4",
            "192.168.1.1",
            "100.64.0.1",
            "::ffff:10.0.0.1",
            "2606:2800:220:1:248:1893:25c8:1946",
            "fd12:3456:789a::1",
            "64:ff9b::5db8:d822",
            "2002:5db8:d822::1",
        ] {
            assert!(may("tenant.example", address), "{address}");
        }
    }

    #[test]
    fn a_name_may_not_lead_to_this_computer() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "::1",
            "::ffff:127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
        ] {
            assert!(!may("tenant.example", address), "{address}");
            assert!(!may("localhost.example", address), "{address}");
        }
    }

    #[test]
    fn a_name_may_not_lead_to_where_no_tenant_is() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "169.254.169.254",
            "169.254.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fe80::1",
            "febf::1",
            "224.0.0.1",
            "239.255.255.255",
            "ff02::1",
            "255.255.255.255",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:42::42",
        ] {
            assert!(!may("tenant.example", address), "{address}");
            assert!(!may("localhost", address), "{address}");
        }
    }

    #[test]
    fn localhost_is_this_computer_and_nowhere_else() {
        for address in ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"] {
            assert!(may("localhost", address), "{address}");
            assert!(may("LocalHost", address), "{address}");
        }
        for address in ["10.0.0.1", "93.184.216.34", "fd12::1", "2002:7f00:1::1"] {
            assert!(!may("localhost", address), "{address}");
        }
    }
}
