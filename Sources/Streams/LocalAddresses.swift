import Bytestreams
import Codecs
package import NIOCore

/// Addresses of this machine, as they are now: at which a peer may reach it, and which are no other host's.
package struct LocalAddresses: Sendable {
  private let own: Set<[UInt8]>
  private let broadcast: Set<[UInt8]>

  package init(_ devices: [NIONetworkDevice]) {
    own = Set(devices.compactMap { $0.address?.bytes })
    broadcast = Set(devices.compactMap { $0.broadcastAddress?.bytes })
  }

  /// Why an address at somebody's word is not dialled, as the end of a sentence; nil where it can be one host that may be meant.
  ///
  /// - Parameter isHere: whoever says so is on this machine, whose own addresses may be meant then.
  package func refusal(of bytes: [UInt8], isHere: Bool) -> String? {
    if IPAddress.isLoopback(bytes) { return isHere ? nil : "is loopback" }
    if own.contains(bytes) { return isHere ? nil : "is this machine's own" }
    if broadcast.contains(bytes) { return "is a broadcast address" }
    return IPAddress.isUnicast(bytes) ? nil : "is no address of one host"
  }

  /// The one that its stream has, and behind it the others of that interface, those of the other family first.
  static func besides(_ own: String, _ devices: [NIONetworkDevice]) -> [String] {
    let bytes = IPAddress.bytes(own)
    guard let bytes, let name = devices.first(where: { $0.address?.bytes == bytes })?.name else { return [own] }
    let others = devices.filter { $0.name == name }.compactMap { device -> (host: String, isOtherFamily: Bool)? in
      guard let address = device.address, let host = address.host, let other = address.bytes, other != bytes
      else { return nil }
      return (host, other.count != bytes.count)
    }
    let inOrder = others.filter(\.isOtherFamily) + others.filter { !$0.isOtherFamily }
    return Array(([own] + inOrder.map(\.host)).prefix(BytestreamLimits.candidates))
  }
}
