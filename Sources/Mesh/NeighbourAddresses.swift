import Codecs
import LinkLocal
import NIOCore
import Streams

/// Which of the addresses that anyone on the link may announce are dialled: only those that can be a neighbour's. Whatever is at
/// another one would hear a stream header from this machine, and may trust what comes from there.
///
/// Not those of loopback and of this machine itself, unless what is announced is on this machine, or was heard by loopback; no
/// unspecified, multicast or broadcast ones, and no reserved ones (RFC 1122 §3.2.1.3, RFC 4291 §2); no ports below 1024, where
/// no Hearth node listens, unless a friend's device is announced there.
struct NeighbourAddresses {
  private let local: LocalAddresses
  /// Kernel indexes of interfaces that lead nowhere but to this machine.
  private let loopback: Set<Int>

  /// - Parameter devices: the addresses of this machine, as they are now.
  init(_ devices: [NIONetworkDevice]) {
    local = LocalAddresses(devices)
    loopback = Set(devices.filter { $0.address?.bytes.map(IPAddress.isLoopback) ?? false }.map(\.interfaceIndex))
  }

  /// Why nothing is dialled there, as the end of a sentence; nil where it is.
  func refusal(of endpoint: Endpoint, isFriends: Bool) -> String? {
    guard let bytes = IPAddress.bytes(endpoint.address) else { return "is no address" }
    if endpoint.port < MeshLimits.lowestPort, !isFriends { return "has a port below \(MeshLimits.lowestPort)" }
    let isHere = endpoint.isOnThisMachine || loopback.contains(endpoint.interface.index)
    return local.refusal(of: bytes, isHere: isHere)
  }
}
