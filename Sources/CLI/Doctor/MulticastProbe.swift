#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Asks the link by mDNS for one of this node's own records, from a port of its own: whoever answers such a query does so by
/// unicast (RFC 6762 §6.7), so that no other mDNS stack has a say in what is heard.
enum MulticastProbe {
  enum Outcome: Equatable {
    /// Some responder answers.
    case heard
    case silence
    /// The query could not be sent: the system's words.
    case unsent(String)
  }

  private static let port: UInt16 = 5353

  /// Asks on an interface, by IPv4 where it has such an address, else by IPv6. Blocks, up to `CLILimits.multicastAnswer`.
  ///
  /// - Parameter instance: a `_presence._tcp` instance.
  static func ask(_ instance: String, on interface: NetworkInterface) -> Outcome {
    let query = query(instance)
    // Socket addresses as bytes (ip(7), ipv6(7)): family, port, and for IPv6 flow and scope round the address.
    if let own = interface.addresses.first(where: { $0.bytes.count == 4 }) {
      let group = bytes(UInt16(AF_INET)) + bytes(port.bigEndian) + [224, 0, 0, 251] + [UInt8](repeating: 0, count: 8)
      return exchange(AF_INET, query, to: group) { set($0, IPPROTO_IP, IP_MULTICAST_IF, own.bytes) }
    }
    let address: [UInt8] = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [0xFB]
    let group =
      bytes(UInt16(AF_INET6)) + bytes(port.bigEndian) + bytes(UInt32(0)) + address + bytes(interface.index)
    return exchange(AF_INET6, query, to: group) { set($0, IPPROTO_IPV6, IPV6_MULTICAST_IF, bytes(interface.index)) }
  }

  private static func bytes(_ value: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
  }

  private static func exchange(
    _ family: Int32, _ query: [UInt8], to group: [UInt8], _ choose: (Int32) -> Bool
  ) -> Outcome {
    let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .unsent(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    let sent = group.withUnsafeBytes {
      let address = $0.baseAddress?.assumingMemoryBound(to: sockaddr.self)
      return choose(descriptor) ? sendto(descriptor, query, query.count, 0, address, socklen_t($0.count)) : -1
    }
    guard sent == query.count else { return .unsent(String(cString: strerror(errno))) }
    var answer = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&answer, 1, Int32(CLILimits.multicastAnswer.components.seconds * 1000)) > 0 ? .heard : .silence
  }

  private static func set(_ descriptor: Int32, _ level: Int, _ option: Int32, _ value: [UInt8]) -> Bool {
    setsockopt(descriptor, Int32(level), option, value, socklen_t(value.count)) == 0
  }

  /// One question for the SRV record (RFC 1035 §4.1).
  static func query(_ instance: String) -> [UInt8] {
    let labels = [instance, "_presence", "_tcp", "local"].flatMap {
      [UInt8(truncatingIfNeeded: $0.utf8.count)] + $0.utf8
    }
    return [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 33, 0, 1]
  }
}
