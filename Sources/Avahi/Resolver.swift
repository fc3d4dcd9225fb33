import CAvahi
import LinkLocal

/// Resolves one instance on one interface and address family, again and again as its records change.
///
/// Only addresses of its own family are asked for: a resolver that may take either keeps reporting the one it met first,
/// and the other would be missing.
final class Resolver {
  enum Finding {
    case found(address: String, port: Int, TXTRecord, host: String)
    /// Nobody answered for 5 s, or the address expired and nobody renewed it.
    case silence
  }

  private let key: Sighting.Key
  private let report: (Finding) -> Void
  private var pointer: OpaquePointer?

  init(_ key: Sighting.Key, report: @escaping (Finding) -> Void) {
    self.key = key
    self.report = report
  }

  func start(_ client: OpaquePointer, domain: String) -> Bool {
    let family = key.family.protocolNumber
    pointer = avahi_service_resolver_new(
      client, AvahiIfIndex(key.interface.index), family, key.instance.text, serviceType, domain, family,
      AvahiLookupFlags(0),
      { _, _, _, event, _, _, _, host, address, port, strings, _, context in
        guard let context else { return }
        let resolver = Unmanaged<Resolver>.fromOpaque(context).takeUnretainedValue()
        resolver.report(event == AVAHI_RESOLVER_FOUND ? resolver.finding(host, address, port, strings) : .silence)
      }, Unmanaged.passUnretained(self).toOpaque())
    return pointer != nil
  }

  func free() {
    if let pointer { avahi_service_resolver_free(pointer) }
    pointer = nil
  }

  /// Port 0 says that there is nothing to connect to (RFC 6763 §7).
  private func finding(
    _ host: UnsafePointer<CChar>?, _ address: UnsafePointer<AvahiAddress>?, _ port: UInt16, _ strings: OpaqueStringList
  ) -> Finding {
    guard let host, let address, port > 0 else { return .silence }
    return .found(
      address: text(of: address), port: Int(port), TXTRecord(decoding: bytes(of: strings)), host: String(cString: host))
  }
}
