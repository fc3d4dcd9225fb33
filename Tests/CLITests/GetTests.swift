import Daemon
import FoundationEssentials
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import TestKit
import Testing

@testable import CLI

struct GetTests {
  private static func response(_ proxyStatus: String...) -> HTTPResponse {
    var response = HTTPResponse(status: .badGateway)
    for value in proxyStatus {
      response.headerFields.append(HTTPField(name: HTTPField.Name("Proxy-Status")!, value: value))
    }
    return response
  }

  @Test(arguments: [
    (MeshError.Code.notDiscovered, CommandStatus.notDiscovered), (.away, .refused), (.refused, .refused),
    (.unanswered, .timedOut), (.timedOut, .timedOut), (.notHTTP, .noApp), (.forbidden, .denied), (.limit, .refused),
    (.protocolError, .noApp), (.noUpgrade, .noApp),
    (.connectionLost, .connectionLost), (.changed, .wrongKey), (.insecure, .insecure),
  ])
  func everyErrorOfTheMeshHasAStatus(_ code: MeshError.Code, _ status: CommandStatus) {
    let failure = ProxyFailure.of(Self.response(#""hearth@laptop"; error=\#(code.proxyStatus)"#), device: "a@b")
    #expect(failure?.status == status)
    #expect(failure?.message.hasPrefix("a@b: ") == true)
  }

  @Test func noErrorIsMissingAbove() {
    #expect(MeshError.Code.allCases.count == 13)
  }

  @Test func curlsNumbers() {
    #expect(CommandStatus.notDiscovered.rawValue == 6)
    #expect(CommandStatus.refused.rawValue == 7)
    #expect(CommandStatus.noApp.rawValue == 8)
    #expect(CommandStatus.httpError.rawValue == 22)
    #expect(CommandStatus.timedOut.rawValue == 28)
  }

  @Test func theDaemonsOwnWordsAreShown() {
    let value = #""hearth@laptop"; error=connection_refused; details="a@b, \"the pi\"; is asleep""#
    #expect(ProxyFailure.of(Self.response(value), device: "x")?.message == #"a@b, "the pi"; is asleep"#)
  }

  @Test(arguments: [
    [#"nginx; error=connection_refused, "hearth@laptop""#], [#""hearth@laptop""#],
    [#""hearth@laptop"; received-status=502"#],
    [#""a@b"; error=connection_refused, "hearth@laptop""#], [#""a@b"; error=connection_refused"#, #""hearth@laptop""#],
    [#"nginx; details="x, hearth; error=connection_refused""#], [],
  ])
  func answersOfTheDeviceAreItsOwn(_ values: [String]) {
    var response = HTTPResponse(status: .badGateway)
    for value in values {
      response.headerFields.append(HTTPField(name: HTTPField.Name("Proxy-Status")!, value: value))
    }
    #expect(ProxyFailure.of(response, device: "x") == nil)
  }

  @Test(arguments: [
    (#""thermostat@pi"; error=connection_refused, "hearth@laptop""#, true),
    (#"nginx; error=dns_error, "Thermostat@Pi"; error=http_response_timeout, "hearth@laptop""#, true),
    (#""thermostat%40x@pi"; error=connection_refused, "hearth@laptop""#, false),
    (#""thermostat@pi"; error=http_request_error, "hearth@laptop""#, false),
    (#"nginx; error=connection_refused, "thermostat@pi", "hearth@laptop""#, false),
    (#""thermostat@pi"; error=connection_refused"#, false), (#""thermostat@pi", "hearth@laptop""#, false),
    (#""hearth@laptop"; error=connection_refused"#, false), ("", false),
  ])
  func aDeadAppIsToldFromADeadNode(_ value: String, _ isApps: Bool) {
    let failure = ProxyFailure.ofApp(Self.response(value), device: "httpx://thermostat@pi/a?b")
    #expect((failure?.status == .noApp) == isApps && (failure == nil) != isApps)
    if isApps { #expect(ProxyFailure.of(Self.response(value), device: "x") == nil) }
  }

  @Test func theRequestHead() throws {
    let uri = try HTTPXURI("httpx://thermostat@pi/a?b#c")
    let plain = try RequestHead.make(uri, method: nil, fields: [], hasBody: false, headOnly: false)
    #expect(plain.method == .get)
    #expect(plain.path == "httpx://thermostat@pi/a?b")
    #expect(plain.headerFields[.accept] == "*/*")
    let post = try RequestHead.make(
      uri, method: nil, fields: ["content-type: text/plain", "X-A: 1", "X-A:2", "Accept:", "X-Empty;"], hasBody: true,
      headOnly: false)
    #expect(post.method == .post)
    #expect(post.headerFields[.contentType] == "text/plain")
    #expect(post.headerFields[values: HTTPField.Name("X-A")!] == ["1", "2"])
    #expect(post.headerFields[.accept] == nil)
    #expect(post.headerFields[HTTPField.Name("X-Empty")!] == "")
    #expect(try RequestHead.make(uri, method: nil, fields: [], hasBody: false, headOnly: true).method == .head)
    #expect(try RequestHead.make(uri, method: "PUT", fields: [], hasBody: true, headOnly: false).method == .put)
  }

  @Test(arguments: [("GET", ["novalue"]), ("GET", ["A: b\r\nC: d"]), ("GET", ["a b: c"]), ("G T", [])])
  func badHeads(_ method: String, _ fields: [String]) throws {
    let failure = try #require(throws: CommandFailure.self) {
      _ = try RequestHead.make(
        HTTPXURI("httpx://a@b/"), method: method, fields: fields, hasBody: false, headOnly: false)
    }
    #expect(failure.status == .usage)
  }

  @Test func bodies() async throws {
    #expect(try await Self.collect(UploadBody("a=1")) == Array("a=1".utf8))
    #expect(try UploadBody("a=1").length == 3)
    try await TemporaryFolder.with { folder in
      let bytes = (0..<200_000).map { UInt8($0 % 251) }
      try FileBytes.replace("\(folder)/f", in: folder, with: bytes)
      let body = try UploadBody("@\(folder)/f")
      #expect(body.length == 200_000)
      #expect(try await Self.collect(body) == bytes)
      for path in ["\(folder)/none", folder] {
        let failure = #expect(throws: CommandFailure.self) { _ = try UploadBody("@\(path)") }
        #expect(failure?.status == .readError)
      }
    }
  }

  private static func collect(_ body: UploadBody) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body { bytes += part.readableBytesView }
    return bytes
  }
}
