import FoundationEssentials
import LinkLocal
import NIOCore
import NIOPosix
import Streams
import Trust
import XMPP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Route {
  /// What it means to the user that nothing could be sent along this route.
  ///
  /// - Returns: a `MeshError`, or the `CancellationError` that it was given.
  func meshError(_ error: any Error) -> any Error {
    switch error {
    case let error as MeshError: error.over(device.server)
    case is CancellationError: error
    case let error as Imposture: MeshError(error, device: jid).over(device.server)
    case let error as StreamFailure:
      MeshError(error, device: jid, lastSeen: isForeign ? nil : lastSign.time).over(device.server)
    default: MeshError(unreachable: jid, error, lastSeen: lastSign.time).over(device.server)
    }
  }
}

/// What each cause means to the user: the one place where failures of streams get their words.
extension MeshError {
  static func notDiscovered(_ device: JID) -> MeshError {
    MeshError(
      .notDiscovered, device: device, message: "No device “\(device)” is announced on this network.",
      nextStep: .listDevices)
  }

  init(_ failure: StreamFailure, device: JID, lastSeen: Date?) {
    let (code, message): (Code, String) =
      switch failure {
      case .stanza(let error): Self.words(error, device)
      case .timedOut: (.timedOut, "“\(device)” did not answer in time. Try again, or look at the device.")
      case .insecure(let reason):
        (.insecure, "“\(device)” was not asked, since it cannot be told who would hear it: \(reason).")
      case .closed(let reason), .unsent(let reason):
        (.connectionLost, "The connection to “\(device)” ended: \(reason)")
      case .malformed(let reason): (.protocolError, "“\(device)” gave no valid answer: \(reason)")
      case .notHTTP(let reason): (.notHTTP, "“\(device)” is no HTTP device: \(reason)")
      case .noUpgrade(let reason):
        (.noUpgrade, "“\(device)” cannot be reached by a WebSocket: \(reason)")
      case .incomplete(let reason): (.connectionLost, "The answer of “\(device)” broke off: \(reason)")
      case .cancelled: (.connectionLost, "The transfer from “\(device)” was cancelled.")
      }
    self.init(code, device: device, message: message, lastSeen: lastSeen)
    switch failure {
    case .stanza(let error) where error.condition == .notAllowed: refuser = .rules
    case .stanza(let error) where error.condition == .notAuthorized: refuser = .node
    default: break
    }
  }

  init(_ imposture: Imposture, device: JID) {
    if case .blocked = imposture.refusal {
      self.init(
        .forbidden, device: device, message: "You have blocked the node of “\(device)”.",
        nextStep: imposture.id.map { .unblock($0) })
    } else {
      self.init(
        .changed, device: device, message: "“\(device)” is not who it should be: \(imposture.refusal.detail).")
    }
  }

  /// What a stanza error means to whoever asked (RFC 6120 §8.3.3): access, a limit, time, no HTTP, or no sense.
  private static func words(_ error: StanzaError, _ device: JID) -> (Code, String) {
    let reason = error.text ?? error.condition.rawValue
    return switch error.condition {
    case .forbidden, .notAuthorized, .notAllowed, .registrationRequired, .subscriptionRequired:
      (.forbidden, "“\(device)” refused the request: \(reason)")
    case .resourceConstraint, .policyViolation: (.limit, "“\(device)” is at a limit: \(reason)")
    case .remoteServerTimeout: (.timedOut, "“\(device)” did not answer in time: \(reason)")
    case .serviceUnavailable, .featureNotImplemented, .itemNotFound:
      (.notHTTP, "“\(device)” serves no HTTP: \(reason)")
    default: (.protocolError, "“\(device)” answered with an error: \(reason)")
    }
  }

  /// No address accepted a connection. The error is that of all addresses, or of the time for them (RFC 8305).
  init(unreachable device: JID, _ error: any Error, lastSeen: Date?) {
    let causes = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? [error]
    let codes = causes.compactMap { ($0 as? IOError)?.errnoCode }
    let (code, what): (Code, String) =
      if codes.contains(ECONNREFUSED) {
        (.refused, "is on the network, and nothing listens at its port. Is its service running?")
      } else if causes.contains(where: Self.isSilence) {
        (.unanswered, "does not answer at any address. Is it switched on?")
      } else if !codes.isEmpty, codes.allSatisfy([EHOSTUNREACH, EHOSTDOWN].contains) {
        // Nobody has the address any more (RFC 826, RFC 4861 §7.2.2).
        (.away, "does not answer at any address. Is it switched on?")
      } else {
        (.away, "cannot be reached: \(codes.first.map { String(cString: strerror($0)) } ?? "\(error)")")
      }
    self.init(code, device: device, message: "“\(device)” \(what)", lastSeen: lastSeen)
  }

  /// Nobody said anything: until our own time-out, or the kernel's.
  private static func isSilence(_ error: any Error) -> Bool {
    if case ChannelError.connectTimeout? = error as? ChannelError { return true }
    return (error as? IOError)?.errnoCode == ETIMEDOUT
  }
}

extension Endpoint {
  /// A link-local IPv6 address means nothing without its interface (RFC 4007 §6); others must not have one.
  var socketAddress: SocketAddress? {
    let scope = address.lowercased().hasPrefix("fe80:") ? "%\(interface.index)" : ""
    return try? SocketAddress(ipAddress: address + scope, port: port)
  }
}
