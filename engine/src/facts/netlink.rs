//! The kernel's own tale of the network: rtnetlink(7), read only. It needs neither `/proc` nor `/sys` nor privileges.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
};

use super::network::{Address, Link, Network, Route, hardware_kind};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_DUMP: u16 = 0x300;
const HEADER: usize = 16;

const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// Addresses of the public internet: the kernel is asked which way a packet to them would take. None is sent.
const FAR_IPV4: Ipv4Addr = Ipv4Addr::new(8, 8, 8, 8);
const FAR_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888);

/// A kernel that doesn't answer at once never will.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for links, addresses and the default routes.
///
/// # Errors
/// There are no netlink sockets here (a sandbox forbids them), or the kernel refused.
pub(super) fn network() -> io::Result<Network> {
    let socket = open()?;
    let links = ask(&socket, RTM_GETLINK, NLM_F_DUMP, &[AF_UNSPEC; 16])?;
    let addresses = ask(&socket, RTM_GETADDR, NLM_F_DUMP, &[AF_UNSPEC; 8])?;
    // Without a way out the kernel says ENETUNREACH, which is an answer.
    let ipv4 = ask(&socket, RTM_GETROUTE, 0, &route_to(FAR_IPV4.into())).unwrap_or_default();
    let ipv6 = ask(&socket, RTM_GETROUTE, 0, &route_to(FAR_IPV6.into())).unwrap_or_default();
    Ok(understand(&links, &addresses, &ipv4, &ipv6))
}

/// Puts the answers together; what is malformed is left out.
fn understand(links: &[Message], addresses: &[Message], ipv4: &[Message], ipv6: &[Message]) -> Network {
    let links: Vec<(u32, Link)> = links.iter().filter_map(link).collect();
    let name = |index: u32| links.iter().find(|(own, _)| *own == index).map(|(_, link)| link.name.clone());
    Network {
        addresses: addresses.iter().filter_map(|message| address(message, &name)).collect(),
        default_ipv4: ipv4.iter().find_map(|message| route(message, &name)),
        default_ipv6: ipv6.iter().find_map(|message| route(message, &name)),
        links: links.into_iter().map(|(_, link)| link).collect(),
    }
}

fn open() -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    connect(&socket, &SocketAddrNetlink::new(0, 0))?;
    Ok(socket)
}

/// The request for the way to `address`: `struct rtmsg` and its destination.
fn route_to(address: IpAddr) -> Vec<u8> {
    const RTA_DST: u16 = 1;
    let (family, octets) = match address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    let bits = u8::try_from(octets.len() * 8).unwrap_or(u8::MAX);
    let length = u16::try_from(octets.len() + 4).unwrap_or(u16::MAX);
    let mut body = vec![family, bits, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    body.extend(length.to_ne_bytes());
    body.extend(RTA_DST.to_ne_bytes());
    body.extend(octets);
    body
}

/// A message of the kernel, without its header.
struct Message {
    kind: u16,
    body: Vec<u8>,
}

/// Sends a request and collects what comes back.
fn ask(socket: &OwnedFd, kind: u16, flags: u16, body: &[u8]) -> io::Result<Vec<Message>> {
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let mut request = Vec::with_capacity(HEADER + body.len());
    request.extend(length.to_ne_bytes());
    request.extend(kind.to_ne_bytes());
    request.extend((NLM_F_REQUEST | flags).to_ne_bytes());
    request.extend(u32::from(kind).to_ne_bytes());
    request.extend(0_u32.to_ne_bytes());
    request.extend(body);
    send(socket, &request, SendFlags::empty())?;

    let mut buffer = vec![0; 64 << 10];
    let mut messages = Vec::new();
    loop {
        let (length, _) = recv(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let whole = split(&buffer[..length.min(buffer.len())], u32::from(kind), &mut messages)?;
        if length == 0 || whole || flags & NLM_F_DUMP == 0 {
            return Ok(messages);
        }
    }
}

/// Takes the messages of one datagram that answer request `number`; `true` when the last one was among them.
fn split(mut datagram: &[u8], number: u32, messages: &mut Vec<Message>) -> io::Result<bool> {
    while let (Some(length), Some(kind), Some(sequence)) =
        (u32_at(datagram, 0), u16_at(datagram, 4), u32_at(datagram, 8))
    {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(body) = datagram.get(HEADER..length) else { break };
        match kind {
            _ if sequence != number => {}
            NLMSG_DONE => return Ok(true),
            NLMSG_ERROR => match u32_at(body, 0).map(u32::cast_signed) {
                Some(code) if code < 0 => return Err(io::Error::from_raw_os_error(code.saturating_neg())),
                _ => return Ok(true),
            },
            _ => messages.push(Message { kind, body: body.to_vec() }),
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// The attributes behind the fixed part of a message: number and content.
fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const FLAGS: u16 = 0xC000;
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(rest, 0)?);
        let kind = u16_at(rest, 2)? & !FLAGS;
        let content = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, content))
    })
}

/// `struct ifinfomsg` and what follows.
fn link(message: &Message) -> Option<(u32, Link)> {
    const IFLA_ADDRESS: u16 = 1;
    const IFLA_IFNAME: u16 = 3;
    const IFLA_MTU: u16 = 4;
    const IFLA_OPERSTATE: u16 = 16;
    const IFLA_LINKINFO: u16 = 18;
    const IFLA_INFO_KIND: u16 = 1;
    const IFLA_PROMISCUITY: u16 = 30;
    const IFF_UP: u32 = 1;

    if message.kind != RTM_NEWLINK {
        return None;
    }
    let hardware = u16_at(&message.body, 2)?;
    let index = u32_at(&message.body, 4)?;
    let flags = u32_at(&message.body, 8)?;
    let mut link = Link { kind: hardware_kind(hardware), ..Link::default() };
    let mut carrier = true;
    for (kind, content) in attributes(message.body.get(16..)?) {
        match kind {
            IFLA_ADDRESS => link.mac = mac(content),
            IFLA_IFNAME => link.name = word(content),
            IFLA_MTU => link.mtu = u32_at(content, 0)?,
            // Unlike the flag, this also counts what a bridge or a sniffer asks for.
            IFLA_PROMISCUITY => link.promiscuous = u32_at(content, 0)? > 0,
            IFLA_OPERSTATE => carrier = !is_down(content.first().copied()),
            IFLA_LINKINFO => {
                let driver = attributes(content).find(|(kind, _)| *kind == IFLA_INFO_KIND);
                link.kind = driver_kind(&driver.map(|(_, name)| word(name)).unwrap_or_default(), link.kind);
            }
            _ => {}
        }
    }
    link.up = flags & IFF_UP != 0 && carrier;
    (!link.name.is_empty()).then_some((index, link))
}

/// Operational states of RFC 2863: not present, down, lower layer down. Unknown (0) is what loopback has.
fn is_down(state: Option<u8>) -> bool {
    matches!(state, Some(1..=3))
}

fn driver_kind(driver: &str, hardware: &'static str) -> &'static str {
    match driver {
        "bridge" => "bridge",
        "bond" => "bonding",
        _ => hardware,
    }
}

fn mac(bytes: &[u8]) -> Option<String> {
    // Tunnels have their end's IP address here.
    let is_hardware = bytes.len() >= 6 && bytes.len() != 16 && bytes.iter().any(|byte| *byte != 0);
    is_hardware.then(|| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}

/// `struct ifaddrmsg` and what follows.
fn address(message: &Message, name: &impl Fn(u32) -> Option<String>) -> Option<Address> {
    const IFA_ADDRESS: u16 = 1;
    const IFA_LOCAL: u16 = 2;
    const IFA_LABEL: u16 = 3;
    const IFA_BROADCAST: u16 = 4;
    // For IPv6 the same bit is IFA_F_TEMPORARY.
    const IFA_F_SECONDARY: u8 = 1;

    if message.kind != RTM_NEWADDR {
        return None;
    }
    let (prefix, flags) = (*message.body.get(1)?, *message.body.get(2)?);
    let scope = scope(*message.body.get(3)?);
    let interface = name(u32_at(&message.body, 4)?)?;
    let (mut remote, mut local, mut label, mut broadcast) = (None, None, None, None);
    for (kind, content) in attributes(message.body.get(8..)?) {
        match kind {
            IFA_ADDRESS => remote = ip(content),
            IFA_LOCAL => local = ip(content),
            IFA_LABEL => label = Some(word(content)),
            IFA_BROADCAST => broadcast = ip(content),
            _ => {}
        }
    }
    let broadcast = match broadcast {
        Some(IpAddr::V4(address)) => Some(address),
        _ => None,
    };
    // On a point-to-point link IFA_ADDRESS is the other end.
    let address = local.or(remote)?;
    let has_peer = address.is_ipv4() && remote.is_some_and(|remote| remote != address);
    Some(Address {
        label: label.unwrap_or_else(|| interface.clone()),
        interface,
        address,
        // The network is then the other end's.
        prefix: if has_peer { 32 } else { prefix },
        secondary: flags & IFA_F_SECONDARY != 0,
        broadcast,
        scope,
    })
}

fn scope(number: u8) -> &'static str {
    match number {
        200 => "site",
        253 => "link",
        254 => "host",
        255 => "nowhere",
        _ => "global",
    }
}

/// `struct rtmsg` and what follows. Blackholes and the like are no way.
fn route(message: &Message, name: &impl Fn(u32) -> Option<String>) -> Option<Route> {
    const RTA_OIF: u16 = 4;
    const RTA_GATEWAY: u16 = 5;
    const RTA_PREFSRC: u16 = 7;
    const RTA_VIA: u16 = 18;
    const RTN_UNICAST: u8 = 1;

    if message.kind != RTM_NEWROUTE || *message.body.get(7)? != RTN_UNICAST {
        return None;
    }
    let mut route = Route::default();
    for (kind, content) in attributes(message.body.get(12..)?) {
        match kind {
            RTA_OIF => route.interface = name(u32_at(content, 0)?)?,
            RTA_GATEWAY => route.gateway = ip(content),
            // An IPv4 route over an IPv6 router: the family comes first.
            RTA_VIA => route.gateway = ip(content.get(2..)?),
            RTA_PREFSRC => route.source = ip(content),
            _ => {}
        }
    }
    (!route.interface.is_empty()).then_some(route)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let ipv4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    ipv4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// A text that ends with a zero byte.
fn word(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(content.len() + 4).unwrap().to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, fixed: &[u8], attributes: &[Vec<u8>]) -> Message {
        Message { kind, body: [fixed.to_vec(), attributes.concat()].concat() }
    }

    fn bridge() -> Message {
        let mut fixed = vec![0, 0, 1, 0];
        fixed.extend(7_u32.to_ne_bytes());
        fixed.extend(0x1003_u32.to_ne_bytes());
        fixed.extend(0_u32.to_ne_bytes());
        let info = attribute(1, b"bridge\0");
        let attributes = [
            attribute(3, b"br0\0"),
            attribute(1, &[2, 0, 0, 0, 0, 9]),
            attribute(4, &1500_u32.to_ne_bytes()),
            attribute(30, &1_u32.to_ne_bytes()),
            attribute(16, &[6]),
            attribute(18 | 0x8000, &info),
        ];
        message(RTM_NEWLINK, &fixed, &attributes)
    }

    #[test]
    fn messages_are_understood() {
        let fixed_address = [&[AF_INET, 24, 0, 0][..], &7_u32.to_ne_bytes()].concat();
        let own = [attribute(1, &[10, 0, 0, 9]), attribute(2, &[10, 0, 0, 5]), attribute(3, b"br0:1\0")];
        let fixed_route = [AF_INET, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0];
        let way =
            [attribute(4, &7_u32.to_ne_bytes()), attribute(5, &[10, 0, 0, 1]), attribute(7, &[10, 0, 0, 5])];
        let network = understand(
            &[bridge()],
            &[message(RTM_NEWADDR, &fixed_address, &own)],
            &[message(RTM_NEWROUTE, &fixed_route, &way)],
            &[],
        );
        let link = network.link("br0").unwrap();
        assert_eq!((link.kind, link.up, link.promiscuous, link.mtu), ("bridge", true, true, 1500));
        assert_eq!(link.mac.as_deref(), Some("02:00:00:00:00:09"));
        let address = &network.addresses[0];
        assert_eq!((address.address.to_string(), address.label.as_str()), ("10.0.0.5".into(), "br0:1"));
        let route = network.default_ipv4.unwrap();
        assert_eq!(route.gateway.unwrap().to_string(), "10.0.0.1");
        assert_eq!(network.default_ipv6, None);
    }

    #[test]
    fn an_error_is_an_error_and_a_strange_sequence_is_skipped() {
        let mut error = 20_u32.to_ne_bytes().to_vec();
        error.extend(NLMSG_ERROR.to_ne_bytes());
        error.extend([0, 0]);
        error.extend(9_u32.to_ne_bytes());
        error.extend([0; 4]);
        error.extend((-101_i32).to_ne_bytes());
        let mut messages = Vec::new();
        assert_eq!(split(&error, 9, &mut messages).unwrap_err().raw_os_error(), Some(101));
        assert!(!split(&error, 8, &mut messages).unwrap());
        assert!(messages.is_empty());
    }

    #[test]
    fn the_kernel_answers() {
        let network = network().unwrap();
        let lo = network.link("lo").expect("every network namespace has a loopback interface");
        assert_eq!((lo.kind, lo.mac.as_deref()), ("loopback", None));
    }

    proptest! {
        #[test]
        fn no_answer_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120), kind in 16_u16..27) {
            let mut messages = Vec::new();
            let _ = split(&bytes, 0, &mut messages);
            messages.push(Message { kind, body: bytes });
            let name = |_| Some("eth0".to_owned());
            for message in &messages {
                let _ = (link(message), address(message, &name), route(message, &name));
            }
        }
    }
}
