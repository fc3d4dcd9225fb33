#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// An interface of this machine, with its addresses (getifaddrs(3)).
struct NetworkInterface: Equatable {
  struct Address: Equatable {
    /// 4 or 16 bytes, network order.
    let bytes: [UInt8]
    /// Bits of the prefix that the link shares.
    let prefix: Int

    var text: String {
      var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      let family = bytes.count == 4 ? AF_INET : AF_INET6
      guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "" }
      return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var isLinkLocal: Bool { bytes.count == 16 && bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80 }

    /// Whether an address is on the same subnet.
    func reaches(_ other: [UInt8]) -> Bool {
      guard other.count == bytes.count else { return false }
      return (0..<prefix).allSatisfy { bit in
        let mask: UInt8 = 0x80 >> UInt8(bit % 8)
        return bytes[bit / 8] & mask == other[bit / 8] & mask
      }
    }
  }

  let name: String
  let index: UInt32
  let isUp: Bool
  let isLoopback: Bool
  let hasMulticast: Bool
  var addresses: [Address] = []

  /// Whether mDNS can work there.
  var carriesMDNS: Bool { isUp && hasMulticast && !isLoopback && !addresses.isEmpty }

  static var all: [NetworkInterface] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var interfaces: [NetworkInterface] = []
    for entry in sequence(first: list, next: { $0?.pointee.ifa_next }).prefix(while: { $0 != nil }).compactMap({ $0 }) {
      let name = String(cString: entry.pointee.ifa_name)
      let flags = Int32(bitPattern: entry.pointee.ifa_flags)
      if !interfaces.contains(where: { $0.name == name }) {
        interfaces.append(
          NetworkInterface(
            name: name, index: if_nametoindex(name), isUp: flags & Int32(IFF_UP) != 0,
            isLoopback: flags & Int32(IFF_LOOPBACK) != 0,
            hasMulticast: flags & Int32(IFF_MULTICAST) != 0))
      }
      guard let address = addressBytes(entry.pointee.ifa_addr), let mask = addressBytes(entry.pointee.ifa_netmask),
        let place = interfaces.firstIndex(where: { $0.name == name })
      else { continue }
      interfaces[place].addresses.append(
        Address(bytes: address, prefix: mask.reduce(0) { $0 + $1.nonzeroBitCount }))
    }
    return interfaces
  }
}

/// 4 or 16 bytes, network order, of an IPv4 or IPv6 address; nil for any other.
func addressBytes(_ address: UnsafePointer<sockaddr>?) -> [UInt8]? {
  guard let address else { return nil }
  let raw = UnsafeRawPointer(address)
  // Behind family and port, and for IPv6 the flow.
  switch Int32(address.pointee.sa_family) {
  case AF_INET: return Array(UnsafeRawBufferPointer(start: raw + 4, count: 4))
  case AF_INET6: return Array(UnsafeRawBufferPointer(start: raw + 8, count: 16))
  default: return nil
  }
}
