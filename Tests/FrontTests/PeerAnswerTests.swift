import Foundation
import NIOCore
import TestKit
import Testing
import XMPP

/// Whatever a peer answers, the browser gets an answer of HTTP, or one that breaks off where its end would be: never silence.
@Suite(.timeLimit(.minutes(2))) struct PeerAnswerTests {
  /// What a peer answers to one request, and what the browser gets.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var method = "GET"
    /// In place of `statusCode='200'`.
    var status = "statusCode='200'"
    var fields: [(name: String, value: String)] = []
    var data = "<text>hello</text>"
    /// What follows the answer.
    var then: [String] = []
    /// nil: the answer begins, and breaks off.
    var expected: Int?
    var length: String?
    var body = "hello"
    /// In the status line.
    var phrase: String?
  }

  private static func length(_ values: String..., method: String = "GET", status: Int = 200) -> Case {
    let said = values.map { "“\($0)”" }.joined(separator: " and ")
    return Case(
      testDescription: "\(method) \(status): Content-Length \(said)", method: method, status: "statusCode='\(status)'",
      fields: values.map { ("Content-Length", $0) }, data: method == "GET" && status == 200 ? "<text>hello</text>" : "")
  }

  private static func one(_ found: Case, length: String?) -> Case {
    var found = found
    found.expected = Int(found.status.filter(\.isNumber))
    found.length = length
    if found.data.isEmpty { found.body = "" }
    return found
  }

  private static func refused(_ found: Case) -> Case {
    var found = found
    found.expected = 502
    return found
  }

  private static let ibb = "xmlns='http://jabber.org/protocol/ibb' sid='s'"
  private static let open = "<open \(ibb) block-size='4096'/>"
  private static let block = "<data \(ibb) seq='0'>aGVsbG8=</data>"
  private static let close = "<close \(ibb)/>"

  static let lengths: [Case] =
    [length("5"), length("5, 5"), length("5,5,5"), length("5", "5"), length(" 5 "), length("005")].map {
      one($0, length: $0.fields[0].value == "005" ? "005" : "5")
    }
    + [length("5, 5", method: "HEAD"), length("5", "5", method: "HEAD"), length("5, 5", status: 304)].map {
      one($0, length: "5")
    }
    // It has none (RFC 9110 §8.6).
    + [length("0", status: 204), length("5, 5", status: 204)].map { one($0, length: nil) }
    + [
      length(""), length("", ""), length("5,"), length("5, "), length("5, 6"), length("5", "6"), length("5 5"),
      length("-5"), length("+5"), length("0x5"), length("5.0"), length("five"), length("٥"), length("4"), length("6"),
      length("99999999999999999999"), length("", method: "HEAD"), length("5, 6", method: "HEAD"),
      length("x", status: 204), length("x", status: 304),
    ].map(refused)

  static let statuses: [Case] =
    [
      "", "statusCode=''", "statusCode='099'", "statusCode='99'", "statusCode='0'", "statusCode='-1'",
      "statusCode='100'", "statusCode='101'", "statusCode='103'", "statusCode='199'", "statusCode='1000'",
      "statusCode='2x0'", "statusCode='99999999999999999999'",
    ].map { refused(Case(testDescription: $0, status: $0)) }
    + [
      ("statusCode='200'", 200, "OK"), ("statusCode='200' statusMessage=''", 200, "OK"),
      ("statusCode='200' statusMessage='Fine by me'", 200, "Fine by me"), ("statusCode='599'", 599, ""),
      ("statusCode='404' statusMessage='a&#xD;&#xA;X: y'", 404, "Not Found"),
      ("statusCode='999' statusMessage='Strange'", 999, "Strange"),
    ].map { Case(testDescription: $0, status: $0, expected: $1, phrase: $2) }

  static let fields: [Case] =
    [
      ("", "a"), ("a b", "c"), ("a:b", "c"), ("ä", "c"), ("a&#xD;&#xA;b", "c"), ("X", "a&#xD;&#xA;Y: b"),
      ("X", "a&#xA;b"),
      ("X", "a&#xD;b"),
    ].map { refused(Case(testDescription: "field \($0): \($1)", fields: [($0, $1)])) }
    + [
      refused(Case(testDescription: "many fields", fields: (0...512).map { ("X-\($0)", "a") })),
      Case(testDescription: "chunked", fields: [("Transfer-Encoding", "chunked")], expected: 200),
      Case(
        testDescription: "gzip", fields: [("Transfer-Encoding", "gzip, chunked"), ("Content-Length", "5")],
        expected: 200),
      Case(
        testDescription: "fields of a connection",
        fields: [("Connection", "close, content-length"), ("Upgrade", "h2c"), ("Trailer", "X"), ("Keep-Alive", "x")],
        expected: 200),
    ]

  static let bodies: [Case] = [
    Case(testDescription: "a body to HEAD", method: "HEAD", expected: 200, body: ""),
    Case(testDescription: "a body with 204", status: "statusCode='204'", expected: 204, body: ""),
    Case(testDescription: "a body with 304", status: "statusCode='304'", expected: 304, body: ""),
    refused(Case(testDescription: "no base64", data: "<base64>!</base64>")),
    refused(Case(testDescription: "two bodies", data: "<text>a</text><text>b</text>")),
    refused(Case(testDescription: "a way that nobody knows", data: "<s5 sid='s'/>")),
    refused(Case(testDescription: "a bytestream without a name", data: "<ibb/>")),
    Case(testDescription: "a bytestream", data: "<ibb sid='s'/>", then: [open, block, close], expected: 200),
    refused(
      Case(
        testDescription: "a small bytestream that ends early", fields: [("Content-Length", "6")],
        data: "<ibb sid='s'/>",
        then: [open, block, close])),
    refused(
      Case(
        testDescription: "a small bytestream that is too long", fields: [("Content-Length", "4")],
        data: "<ibb sid='s'/>", then: [open, block])),
    refused(
      Case(
        testDescription: "a small bytestream that never opens", fields: [("Content-Length", "5")],
        data: "<ibb sid='s'/>", then: [close])),
    Case(
      testDescription: "a large bytestream that ends early", fields: [("Content-Length", "1000000")],
      data: "<ibb sid='s'/>", then: [open, block, close]),
    Case(
      testDescription: "a bytestream without a length that breaks off", data: "<ibb sid='s'/>",
      then: [open, block, "<data \(ibb) seq='7'>aGVsbG8=</data>"]),
    refused(
      Case(
        testDescription: "small chunks that end early", fields: [("Content-Length", "6")],
        data: "<chunkedBase64 streamId='s'/>",
        then: ["<chunk xmlns='urn:xmpp:http' streamId='s' nr='0' last='true'>aGVsbG8=</chunk>"])),
  ]

  @Test(arguments: [lengths, statuses, fields, bodies]) func aBrowserGetsAnAnswer(_ cases: [Case]) async throws {
    try await Rig.run { rig in
      let device = try await OddDevice(on: rig)
      for odd in cases {
        try await rig.connected { client in
          try await client.begin("\(odd.method) /", host: rig.host(OddDevice.name))
          try await device.answer(odd)
          try await Self.check(odd, client)
        }
      }
      try await device.listener.close()
    }
  }

  private static func check(_ odd: Case, _ client: RawConnection) async throws {
    let comment = Comment(rawValue: odd.testDescription)
    guard let expected = odd.expected else {
      #expect(try await client.head().status == 200, comment)
      let rest = (try? await client.readToEnd()) ?? ""
      #expect(!rest.hasSuffix("0\r\n\r\n") && rest.utf8.count < 100, comment)
      return
    }
    let line = try await client.read(to: "\r\n")
    #expect(line.hasPrefix("HTTP/1.1 \(expected) "), "\(comment): \(line)")
    if let phrase = odd.phrase { #expect(line == "HTTP/1.1 \(expected) \(phrase)\r\n", comment) }
    let answer = try await client.response(behind: line, to: "\(odd.method) /")
    #expect(answer["Upgrade"] == nil && answer["Trailer"] == nil && answer["Keep-Alive"] == nil, comment)
    if expected == 502 {
      #expect(answer["Proxy-Status"]?.contains("error=") == true, comment)
    } else {
      #expect(answer["Proxy-Status"] == nil, comment)
      #expect(answer.text == odd.body, comment)
      if let length = odd.length { #expect(answer["Content-Length"] == length, comment) }
      if expected == 204 { #expect(answer["Content-Length"] == nil, comment) }
    }
  }
}

/// A device on the link that a script plays, and which says that it serves HTTP.
private final class OddDevice {
  static let name = "odd@attic"

  let listener: ScriptedListener
  private var peer: ScriptedPeer?

  init(on rig: Rig) async throws {
    listener = try await ScriptedListener()
    rig.link.haunt(JID(Self.name)!, port: listener.port)
    _ = await rig.laptop.awaitOnline(Self.name)
  }

  func answer(_ odd: PeerAnswerTests.Case) async throws {
    let peer = try await stream()
    // Other IQs may come before it: ends of bytestreams that broke off.
    let start = try await peer.expect("<req ").split(separator: " id='").last ?? ""
    let id = start.prefix { $0 != "'" }
    try await peer.expect("</iq>")
    let fields = odd.fields.map { "<header name='\($0.name)'>\($0.value)</header>" }.joined()
    try await peer.send(
      "<iq type='result' id='\(id)'><resp xmlns='urn:xmpp:http' version='1.1' \(odd.status)>"
        + "<headers xmlns='http://jabber.org/protocol/shim'>\(fields)</headers>"
        + (odd.data.isEmpty ? "" : "<data>\(odd.data)</data>") + "</resp></iq>")
    for (index, element) in odd.then.enumerated() {
      let isChunk = element.hasPrefix("<chunk ")
      try await peer.send(isChunk ? "<message>\(element)</message>" : "<iq type='set' id='t\(index)'>\(element)</iq>")
    }
  }

  /// The stream that is dialled for the first request, and serves all of them.
  private func stream() async throws -> ScriptedPeer {
    if let peer { return peer }
    let peer = try await listener.accept()
    self.peer = peer
    try await peer.expect("version='1.0'>")
    try await peer.send(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        + "from='\(Self.name)' id='1' version='1.0'><stream:features>"
        + "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot'/>"
        + "<feature var='urn:xmpp:http'/></query></stream:features>")
    return peer
  }
}
