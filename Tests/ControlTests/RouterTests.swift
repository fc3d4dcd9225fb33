import Codecs
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import NIOCore
import NIOEmbedded
import Testing

@testable import Control

@Suite struct RouterTests {
  private static let router: Router = {
    var router = Router()
    router.on(.get, "/v1/things") { try said("things", $0.query["all"], $0.query["a b"]) }
    router.on(.put, "/v1/things/:name") { try said($0.parameter("name"), try await $0.json(like: "1")) }
    router.on(.delete, "/v1/things/:name") { _ in .noContent }
    router.on(.post, "/v1/things/:name/parts/:part") {
      try said($0.parameter("name"), $0.parameter("part"), try await $0.json(like: "\"x\"", empty: "none"))
    }
    return router
  }()

  private struct Told: Codable { let texts: [String?] }

  private static func said(_ texts: String?...) throws -> RoutedResponse { try .json(Told(texts: texts)) }

  private static func request(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") -> HTTPEdge.Request {
    HTTPEdge.Request(
      head: HTTPRequest(method: method, scheme: nil, authority: nil, path: path), body: Body(body),
      channel: EmbeddedChannel())
  }

  /// What the handler has been told; nil where there is none.
  private static func answer(_ request: HTTPEdge.Request) async throws -> [String?]? {
    guard case .handler(let handler, let request) = router.match(request) else { return nil }
    let response = try await handler(request)
    guard case .whole(let bytes) = response.content else { return nil }
    return try ControlJSON.decode(Told.self, from: Data(bytes.readableBytesView)).texts
  }

  @Test(arguments: [
    ("/v1/things", ["things", nil, nil]), ("/v1/things?all", ["things", "", nil]),
    ("//v1//things/?all=1&a%20b=%C3%B6&x", ["things", "1", "ö"]), ("/v1/%74hings", ["things", nil, nil]),
  ])
  func aPathLeadsToItsHandler(path: String, answer: [String?]) async throws {
    #expect(try await Self.answer(Self.request(.get, path)) == answer)
  }

  @Test(arguments: [
    ("/v1/things/a%2Fb/parts/%C3%B6", ["a/b", "ö", "none"]), ("/v1/things/%FF/parts/%", [nil, nil, "none"]),
  ])
  func parametersAreDecoded(path: String, answer: [String?]) async throws {
    #expect(try await Self.answer(Self.request(.post, path)) == answer)
  }

  @Test func aBodyIsWhatTheExampleIsLike() async throws {
    #expect(try await Self.answer(Self.request(.put, "/v1/things/a", "\"b\"")) == ["a", "b"])
    for body in ["", "{", "7", String(repeating: " ", count: ControlLimits.requestBytes + 1)] {
      await #expect(throws: ControlError.self) { try await Self.answer(Self.request(.put, "/v1/things/a", body)) }
    }
  }

  @Test func anotherMethodIsToldFromNoResource() throws {
    guard case .otherMethods([.put, .delete]) = Self.router.match(Self.request(.get, "/v1/things/a")) else {
      Issue.record("its methods are PUT and DELETE")
      return
    }
    for path in ["/", "/v1", "/v1/thing", "/v1/things/a/parts", "/v1/things/a/parts/b/c", "*", ""] {
      guard case .nothing = Self.router.match(Self.request(.get, path)) else {
        Issue.record("there is nothing at \(path)")
        continue
      }
    }
  }
}
