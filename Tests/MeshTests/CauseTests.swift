import NIOCore
import Testing
import XMPP

@testable import Mesh

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Why a device could not be reached, in words for its user.
@Suite struct CauseTests {
  private func error(_ cause: any Error) throws -> MeshError {
    MeshError(unreachable: try #require(JID("tv@pi")), cause, lastSeen: nil)
  }

  /// With several addresses NIO reports the time for all of them by itself, not as the error of one.
  @Test func theTimeForAllAddressesIsOver() throws {
    #expect(try error(ChannelError.connectTimeout(.seconds(5))).code == .unanswered)
  }

  @Test(arguments: [
    (ECONNREFUSED, MeshError.Code.refused), (EHOSTUNREACH, .away), (ENETUNREACH, .away), (EACCES, .away),
  ])
  func theSystemSays(_ number: Int32, _ code: MeshError.Code) throws {
    let error = try error(IOError(errnoCode: number, reason: "connect"))
    #expect(error.code == code)
    #expect(!error.message.contains("errno") && error.message.hasPrefix("“tv@pi” "))
  }
}
