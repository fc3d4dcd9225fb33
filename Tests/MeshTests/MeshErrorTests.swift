import NIOCore
import NIOPosix
import Streams
import Testing
import XMPP

@testable import Mesh

/// What failures of streams and sockets mean to the user.
@Suite struct MeshErrorTests {
  private static let device = JID("lamp@attic")!

  @Test(arguments: [
    // NIO throws this one bare when no address has answered in time.
    (ChannelError.connectTimeout(.seconds(5)) as any Error, MeshError.Code.unanswered),
    (IOError(errnoCode: ETIMEDOUT, reason: "connect"), .unanswered),
    (IOError(errnoCode: ECONNREFUSED, reason: "connect"), .refused),
    (IOError(errnoCode: EHOSTUNREACH, reason: "connect"), .away),
    (IOError(errnoCode: ENETUNREACH, reason: "connect"), .away),
  ]) func connecting(error: any Error, code: MeshError.Code) {
    let failure = MeshError(unreachable: Self.device, error, lastSeen: nil)
    #expect(failure.code == code)
    #expect(failure.message.contains("lamp@attic"))
  }

  @Test func everyStreamFailureHasItsWords() {
    let failures: [(StreamFailure, MeshError.Code)] = [
      (.stanza(StanzaError(.forbidden)), .forbidden), (.stanza(StanzaError(.resourceConstraint)), .limit),
      (.stanza(StanzaError(.serviceUnavailable)), .notHTTP), (.stanza(StanzaError(.badRequest)), .protocolError),
      (.stanza(StanzaError(.remoteServerTimeout)), .timedOut), (.timedOut, .timedOut),
      (.closed("why."), .connectionLost), (.insecure("why"), .insecure),
      (.stanza(StanzaError(.notAuthorized)), .forbidden),
      (.malformed("why."), .protocolError), (.notHTTP("why."), .notHTTP), (.incomplete("why."), .connectionLost),
      (.cancelled, .connectionLost),
    ]
    for (failure, code) in failures {
      let error = MeshError(failure, device: Self.device, lastSeen: nil)
      #expect(error.code == code)
      #expect(error.message.contains("lamp@attic"))
    }
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
