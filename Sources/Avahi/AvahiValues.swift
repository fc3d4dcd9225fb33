import CAvahi
import Glibc
import LinkLocal

let serviceType = "_presence._tcp"
let anyFamily = AvahiProtocol(AVAHI_PROTO_UNSPEC)

typealias OpaqueStringList = UnsafeMutablePointer<AvahiStringList>?

extension Interface {
  /// nil where no interface has this kernel index.
  init?(index: AvahiIfIndex) {
    guard index > 0 else { return nil }
    let name = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { buffer in
      if_indextoname(UInt32(index), buffer.baseAddress!).map { String(cString: $0) }
    }
    guard let name else { return nil }
    self.init(index: Int(index), name: name)
  }
}

extension Sighting.Family {
  var protocolNumber: AvahiProtocol {
    switch self {
    case .ipv4: AvahiProtocol(AVAHI_PROTO_INET)
    case .ipv6: AvahiProtocol(AVAHI_PROTO_INET6)
    }
  }
}

func errorText(_ code: Int32) -> String {
  String(cString: avahi_strerror(code))
}

func lastError(of client: OpaquePointer) -> String {
  errorText(avahi_client_errno(client))
}

/// Errors that say nothing of what was asked for: D-Bus or the daemon is gone or hangs.
func isBrokenConnection(_ code: Int32) -> Bool {
  [
    AVAHI_ERR_DBUS_ERROR, AVAHI_ERR_DISCONNECTED, AVAHI_ERR_NO_DAEMON, AVAHI_ERR_BAD_STATE, AVAHI_ERR_TIMEOUT,
  ].contains(Int(code))
}

/// Lends the strings as Avahi's list. To Avahi a list that was built has its last string first.
func withStringList<Result>(_ strings: [[UInt8]], _ body: (OpaqueStringList) -> Result) -> Result {
  var list: OpaqueStringList = nil
  for string in strings { list = avahi_string_list_add_arbitrary(list, string, string.count) }
  defer { avahi_string_list_free(list) }
  return body(list)
}

/// In the order of the packet: what a resolver hands over, unlike a list that is built, has the first one first.
func bytes(of list: OpaqueStringList) -> [[UInt8]] {
  var strings: [[UInt8]] = []
  var node = list
  while let current = node {
    let text = UnsafeBufferPointer(
      start: avahi_string_list_get_text(current), count: avahi_string_list_get_size(current))
    strings.append(Array(text))
    node = avahi_string_list_get_next(current)
  }
  return strings
}

/// Without a scope.
func text(of address: UnsafePointer<AvahiAddress>) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(AVAHI_ADDRESS_STR_MAX)) { buffer in
    String(cString: avahi_address_snprint(buffer.baseAddress!, buffer.count, address))
  }
}
