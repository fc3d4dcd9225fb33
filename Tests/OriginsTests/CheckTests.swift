import FoundationEssentials
import HTTPEdge
import HTTPTypes
import HTTPX
import NIOPosix
import TLS
import TestKit
import Testing

@testable import Origins

/// What a look at an app or a folder finds out.
@Suite(.timeLimit(.minutes(1))) struct CheckTests {
  private static func proxy(_ address: HTTPAddress) -> ReverseProxy {
    ReverseProxy(to: address, eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
  }

  @Test(arguments: [true, false]) func appsAreThereOrNot(isUnix: Bool) async throws {
    let path = "/tmp/hearth-app-\(UInt32.random(in: 0...UInt32.max)).sock"
    var gone: HTTPAddress?
    try await withApp(at: isUnix ? .unix(path: path) : .loopback(port: 0), { _, _ in Issue.record("it was asked") }) {
      gone = $0
      try await Self.proxy($0).check()
      // TLS is not spoken: a look is cheap.
      if case .tcp(let host, let port) = $0 {
        try await Self.proxy(.tls(host: host, port: port, trust: .systemCAs)).check()
      }
    }
    let address = try #require(gone)
    let failure = await #expect(throws: OriginFailure.self) { try await Self.proxy(address).check() }
    #expect(failure?.kind == .unreachable && failure?.error == "connection_refused")
    #expect(failure?.reason == (isUnix ? "No such file or directory" : "Connection refused"))
  }

  @Test func foldersAreThereOrNot() async throws {
    let folder = try await TemporaryFolder.with { path in
      let folder = try FileFolder(path)
      try await folder.check()
      #expect(try await folder.get("/none").failure?.error == OriginFailure.requestError)
      return folder
    }
    let failure = await #expect(throws: OriginFailure.self) { try await folder.check() }
    #expect(failure?.kind == .unreachable && failure?.reason.contains("no such folder") == true)
    let answer = try await folder.get("/none")
    #expect(answer.code == 404 && answer.failure?.error == failure?.error ?? OriginFailure.requestError)
  }

  @Test func requestsThatAreAtFaultSayNothingOfTheApp() async throws {
    let answer = try await Self.proxy(.unix(path: "/none")).ask(.get, "http://evil.example/")
    #expect(
      answer.code == 400 && answer.failure?.kind == .request && answer.failure?.error == OriginFailure.requestError)
  }
}
