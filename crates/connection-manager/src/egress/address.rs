use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads, as far as the address alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Public,
    /// This machine.
    Loopback,
    /// A network that is not the internet's.
    Private,
    /// Nowhere that a database is: the word says why.
    Never(&'static str),
}

/// The address that a packet ends up at: an IPv4 address may be written as one of IPv6 (RFC 4291, section 2.5.5; RFC 6052,
/// section 2.1).
pub(super) fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let [.., high, low] = six.segments();
    match six.segments() {
        // Mapped, compatible (but `::` and `::1` are themselves), and translated by NAT64 under its well-known prefix.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => four(high, low),
        [0, 0, 0, 0, 0, 0, ..] if high != 0 || low > 1 => four(high, low),
        _ => address,
    }
}

fn four(high: u16, low: u16) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

/// Judges an address after it was unwrapped.
pub(super) fn reach(address: IpAddr) -> Reach {
    match unwrapped(address) {
        IpAddr::V4(address) => reach_of_v4(address),
        IpAddr::V6(address) => reach_of_v6(address),
    }
}

/// IANA's registry of special-purpose addresses (RFC 6890), and where clouds tell their machines secrets.
fn reach_of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [0, ..] => Reach::Never("unspecified"),
        [127, ..] => Reach::Loopback,
        // Amazon, Google, Azure and others; Oracle; Alibaba; Azure's own agent.
        [169, 254, 169, 254] | [192, 0, 0, 192] | [100, 100, 100, 200] | [168, 63, 129, 16] => Reach::Never("metadata"),
        [169, 254, ..] => Reach::Never("link_local"),
        [224..=239, ..] => Reach::Never("multicast"),
        // 192.88.99.0/24 led to relays of 6to4.
        [240..=255, ..] | [192, 0, 0, _] | [192, 88, 99, _] => Reach::Never("reserved"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Reach::Private,
        // Behind a provider's NAT (RFC 6598), for benchmarks (RFC 2544), in documents (RFC 5737).
        [100, 64..=127, ..] | [198, 18 | 19, ..] | [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Reach::Private
        }
        _ => Reach::Public,
    }
}

fn reach_of_v6(address: Ipv6Addr) -> Reach {
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Reach::Never("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Loopback,
        // Amazon's machines are told secrets at `fd00:ec2::254`.
        [0xfd00, 0x0ec2, ..] => Reach::Never("metadata"),
        [0xfe80..=0xfebf, ..] => Reach::Never("link_local"),
        [0xff00..=0xffff, ..] => Reach::Never("multicast"),
        // Unique local, site-local, in documents (RFC 3849, RFC 9637).
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Reach::Private,
        // Teredo and its neighbours (2001::/23) and 6to4: what is in them cannot be told, and nobody keeps a database there.
        // ISATAP (RFC 5214): the last half holds an address of IPv4, of which the network in front says nothing.
        [0x2001, 0..=0x01ff, ..] | [0x2002, ..] | [.., 0 | 0x0200, 0x5efe, _, _] => Reach::Never("reserved"),
        // The part of the space that is given out to anybody.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never("reserved"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reach_of(text: &str) -> Reach {
        reach(text.parse().expect("an address"))
    }

    #[test]
    fn what_leads_nowhere_good_is_known_by_its_first_and_last_address() {
        for (word, addresses) in [
            ("unspecified", &["0.0.0.0", "0.255.255.255", "::"][..]),
            ("metadata", &["169.254.169.254", "192.0.0.192", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"]),
            ("link_local", &["169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1"]),
            ("multicast", &["224.0.0.0", "239.255.255.255", "ff00::", "ff02::1", "ffff::"]),
            ("reserved", &["240.0.0.0", "255.255.255.255", "192.0.0.1", "192.88.99.1", "2001::1", "2001:1ff::1"]),
            ("reserved", &["2002:7f00:1::", "64:ff9b:1::7f00:1", "100::1", "4000::1", "2a00::5efe:7f00:1"]),
        ] {
            for address in addresses {
                assert_eq!(reach_of(address), Reach::Never(word), "{address}");
            }
        }
    }

    #[test]
    fn private_networks_end_where_they_end() {
        for address in [
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.9",
            "fc00::",
            "fdff:ffff::1",
            "fec0::1",
            "2001:db8::1",
            "3fff::1",
        ] {
            assert_eq!(reach_of(address), Reach::Private, "{address}");
        }
        for address in [
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "1.1.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "3fff:1000::1",
            "2000::1",
        ] {
            assert_eq!(reach_of(address), Reach::Public, "{address}");
        }
        for address in ["127.0.0.1", "127.255.255.255", "::1"] {
            assert_eq!(reach_of(address), Reach::Loopback, "{address}");
        }
    }

    proptest! {
        /// No clothes of IPv6 change what is said of an address of IPv4.
        #[test]
        fn clothes_do_not_help(bits: u32) {
            let four = Ipv4Addr::from_bits(bits);
            let bare = reach(IpAddr::V4(four));
            prop_assert_eq!(reach(IpAddr::V6(four.to_ipv6_mapped())), bare);
            let low = u128::from(bits);
            prop_assert_eq!(reach(IpAddr::V6(Ipv6Addr::from_bits(0x0064_ff9b << 96 | low))), bare);
            if bits > 1 {
                prop_assert_eq!(reach(IpAddr::V6(Ipv6Addr::from_bits(low))), bare);
            }
        }

        /// Only what is given out to anybody is public.
        #[test]
        fn the_rest_of_the_space_is_not_public(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            if reach(IpAddr::V6(address)) == Reach::Public && unwrapped(IpAddr::V6(address)).is_ipv6() {
                prop_assert_eq!(bits >> 125, 1);
            }
        }
    }
}
