import ArgumentParser
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

  private static func request(_ arguments: String...) async throws -> OutgoingRequest {
    let get = try await GetCommand.asyncParse(Array(GetCommand.separated(["get"] + arguments + ["a@b/"]).dropFirst()))
    return try await get.request.request(to: HTTPXURI("httpx://a@b/x/"), wantsHead: get.response.headOnly)
  }

  @Test func theRequestHead() async throws {
    let plain = try RequestHead.make(await Self.request())
    #expect(plain.method == .get)
    #expect(plain.path == "httpx://a@b/x/")
    #expect(plain.headerFields[.accept] == "*/*")
    let post = try RequestHead.make(
      await Self.request(
        "-d", "a", "-Hcontent-type: text/plain", "-H", "X-A: 1", "-HX-A:2", "-H", "Accept:", "-H", "X-Empty;"))
    #expect(post.method == .post)
    #expect(post.headerFields[.contentType] == "text/plain")
    #expect(post.headerFields[values: HTTPField.Name("X-A")!] == ["1", "2"])
    #expect(post.headerFields[.accept] == nil)
    #expect(post.headerFields[HTTPField.Name("X-Empty")!] == "")
    #expect(try RequestHead.make(await Self.request("-I")).method == .head)
    #expect(try RequestHead.make(await Self.request("-XPUT", "-d", "x")).method == .put)
    let rest = try RequestHead.make(
      await Self.request("-r", "0-9", "-uanna:secret", "-b", "a=1", "-b", "b=2; c=3", "--compressed"))
    #expect(rest.headerFields[.range] == "bytes=0-9")
    #expect(rest.headerFields[.authorization] == "Basic YW5uYTpzZWNyZXQ=")
    #expect(rest.headerFields[.cookie] == "a=1; b=2; c=3")
    #expect(rest.headerFields[.acceptEncoding] == "gzip, deflate")
  }

  @Test(arguments: [["-H", "novalue"], ["-H", "A: b\r\nC: d"], ["-H", "a b: c"], ["-X", "G T"]])
  func badHeads(_ arguments: [String]) async throws {
    let get = try await GetCommand.asyncParse(arguments + ["a@b/"])
    let request = try await get.request.request(to: HTTPXURI("httpx://a@b/"), wantsHead: false)
    let failure = try #require(throws: CommandFailure.self) { _ = try RequestHead.make(request) }
    #expect(failure.status == .usage)
  }

  @Test func dataGoesIntoTheQuery() async throws {
    let get = try await Self.request("-G", "-d", "a=1", "--data-urlencode", "q=a & ö")
    #expect(get.uri.path == "/x/?a=1&q=a%20%26%20%C3%B6" && get.method == "GET" && get.body == nil)
  }

  @Test func filesAreUploaded() async throws {
    try await TemporaryFolder.with { folder in
      try FileBytes.replace("\(folder)/a file", in: folder, with: Array("body".utf8))
      let put = try await Self.request("-T", "\(folder)/a file")
      #expect(put.method == "PUT" && put.uri.path == "/x/a%20file")
      #expect(try await Self.collect(#require(put.body)) == Array("body".utf8))
      try #require(put.body).rewind()
      #expect(try await Self.collect(#require(put.body)) == Array("body".utf8))
      #expect(try FormText.encoded("n@\(folder)/a file", isQuery: false) == "n=body")
      let form = try MultipartForm(
        ["a=1;2", "f=@\(folder)/a file;type=text/plain", "t=<\(folder)/a file"], boundary: "B")
      #expect(form.type == "multipart/form-data; boundary=B")
      let text = String(decoding: try await Self.collect(UploadBody(form.sources)), as: UTF8.self)
      #expect(
        text
          == [
            "--B", #"Content-Disposition: form-data; name="a""#, "", "1;2", "--B",
            #"Content-Disposition: form-data; name="f"; filename="a file""#, "Content-Type: text/plain", "", "body",
            "--B",
            #"Content-Disposition: form-data; name="t""#, "", "body", "--B--", "",
          ].joined(separator: "\r\n"))
    }
    #expect(throws: CommandFailure.self) { try MultipartForm(["nothing"]) }
  }

  @Test(arguments: [("a b", "a%20b"), ("=a=b", "a%3Db"), ("n=ö", "n=%C3%B6"), ("", "")])
  func dataIsEncoded(_ text: String, _ encoded: String) throws {
    #expect(try FormText.encoded(text, isQuery: true) == encoded)
    #expect(try FormText.encoded(text, isQuery: false) == encoded.replacing("%20", with: "+"))
  }

  @Test(arguments: [
    ("/y?z", "httpx://a@b/y?z"), ("y", "httpx://a@b/d/y"), ("../y#f", "httpx://a@b/y#f"), ("?q", "httpx://a@b/d/e?q"),
    ("./../../../y/.", "httpx://a@b/y/"), ("//c@d/x", "httpx://c@d/x"), ("httpx://c@d", "httpx://c@d/"),
    ("http://a@b/z", "httpx://a@b/z"), ("https://A@B/z", "httpx://A@B/z"),
    ("http://tv--den.localhost:8332/x", "httpx://tv@den/x"), ("#f", "httpx://a@b/d/e?f=1#f"),
  ])
  func redirectsLeadOn(_ location: String, _ uri: String) throws {
    #expect("\(try Redirect.resolve(location, at: HTTPXURI("httpx://a@b/d/e?f=1")))" == uri)
  }

  @Test(arguments: ["http://example.com/", "https://c@d/", "mailto:a@b", "httpx://"])
  func redirectsToNoDevicesAreSaid(_ location: String) throws {
    let base = try HTTPXURI("httpx://a@b/")
    #expect(throws: CommandFailure.self) { try Redirect.resolve(location, at: base) }
  }

  private static func redirect(_ code: Int, _ location: String = "/next") -> HTTPResponse {
    HTTPResponse(status: .init(code: code), headerFields: [.location: location])
  }

  @Test func redirectsOfForms() async throws {
    let post = try await Self.request("-d", "a", "-u", "a:b", "-H", "Authorization: x", "-H", "X: y")
    let (here, there) = (try HTTPXURI("httpx://a@b/next"), try HTTPXURI("httpx://c@d/"))
    let get = try post.following(Self.redirect(303), to: here)
    #expect(get.method == "GET" && get.body == nil && !get.defaults.contains { $0.hasPrefix("Content-Type") })
    #expect(get.defaults.contains { $0.hasPrefix("Authorization") })
    let again = try post.following(Self.redirect(307), to: here)
    #expect(again.method == "POST" && again.body != nil)
    let other = try post.following(Self.redirect(308), to: there)
    #expect(other.fields == ["X: y"] && !other.defaults.contains { $0.hasPrefix("Authorization") })
    let put = try await Self.request("-XPUT", "-d", "a")
    #expect(try put.following(Self.redirect(302), to: here).method == "PUT")
    #expect(try Redirect.target(of: Self.redirect(304), to: here) == nil)
  }

  @Test(arguments: [
    ("httpx://a@b/x/sea%20at%20dusk.jpg?size=1", "sea at dusk.jpg"), ("httpx://a@b/x/", nil), ("httpx://a@b/", nil),
    ("httpx://a@b/..", nil), ("httpx://a@b/%2E%2E%2Fx", nil), ("httpx://a@b/a%0Ab", nil),
  ])
  func remoteNames(_ uri: String, _ name: String?) throws {
    let uri = try HTTPXURI(uri)
    #expect((try? Transfer.fileName(of: uri)) == name)
  }

  @Test func writeOut() async throws {
    var facts = TransferFacts(try await Self.request())
    facts.response = HTTPResponse(status: .notFound, headerFields: [.contentType: "text/plain"])
    (facts.downloaded, facts.total) = (1000, 0.0125)
    let format = #"%{http_code} %{size_download}\t%{time_total} %{content_type} %header{Content-Type} %{nope} 100%%\n"#
    #expect(
      facts.text(format, status: .success, error: "")
        == "404 1000\t0.012500 text/plain text/plain %{nope} 100%\n")
    #expect(facts.text("%{exitcode} %{errormsg} %{", status: .timedOut, error: "late") == "28 late %{")
  }

  @Test func bodies() async throws {
    #expect(try await Self.collect(UploadBody.of("a=1")) == Array("a=1".utf8))
    #expect(try UploadBody.of("a=1").length == 3)
    try await TemporaryFolder.with { folder in
      let bytes = (0..<200_000).map { UInt8($0 % 251) }
      try FileBytes.replace("\(folder)/f", in: folder, with: bytes)
      let body = try UploadBody.of("@\(folder)/f")
      #expect(body.length == 200_000)
      #expect(try await Self.collect(body) == bytes)
      for path in ["\(folder)/none", folder] {
        let failure = #expect(throws: CommandFailure.self) { _ = try UploadBody.of("@\(path)") }
        #expect(failure?.status == .readError)
      }
    }
  }

  /// As the fields of a form.
  @Test func severalBodiesAreJoined() async throws {
    try await TemporaryFolder.with { folder in
      try FileBytes.replace("\(folder)/f", in: folder, with: Array("b=2".utf8))
      let body = try UploadBody.of("a=1", "@\(folder)/f", "")
      #expect(body.length == 8)
      #expect(try await Self.collect(body) == Array("a=1&b=2&".utf8))
    }
  }

  /// Without line breaks and zeros, as curl's `-d` sends files; once more where a redirect asks for it.
  @Test func linesAreJoined() async throws {
    try await TemporaryFolder.with { folder in
      try FileBytes.replace("\(folder)/f", in: folder, with: Array("a=1\r\nb\0=2\n\n c\n".utf8))
      let body = UploadBody(joining: [try .init("@\(folder)/f", isJoined: true), try .init("x\n", isJoined: true)])
      #expect(body.length == 11)
      for _ in 0..<2 {
        #expect(try await Self.collect(body) == Array("a=1b=2 c&x\n".utf8))
        try body.rewind()
      }
    }
  }

  private static func collect(_ body: UploadBody) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body { bytes += part.readableBytesView }
    return bytes
  }
}

extension UploadBody {
  fileprivate static func of(_ arguments: String...) throws -> UploadBody {
    UploadBody(joining: try arguments.map { try Source($0) })
  }
}
