import Bytestreams
import HTTPTypes
import HTTPX
import NIOCore
import Testing
import XML
import XMPP

extension BodyPlan {
  var summary: String {
    switch self {
    case .inline(let data): data.kind
    case .ibb(let size): "ibb \(size)"
    case .chunks(let size): "chunks \(size)"
    case .jingle(let size): "jingle \(size)"
    case .direct(_, let size): "direct \(size)"
    case .sipub(let size): "sipub \(size)"
    case .unsendable: "unsendable"
    }
  }
}

@Suite struct BodyPlanTests {
  static let kib = 1024
  /// What a Hearth node advertises.
  static let limit = 256 * kib
  static let head = ResponseStanza(HTTPResponse(status: .ok))

  static func request(
    _ maxChunkSize: Int? = 65535, ibb: Bool? = true, dialect: Dialect = .xep
  ) -> RequestStanza {
    RequestStanza(
      HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/"), maxChunkSize: maxChunkSize,
      allows: RequestStanza.Allowance(sipub: false, ibb: ibb, jingle: false), dialect: dialect)
  }

  static let hearth = BodyReceiver.requester(request(), stanzaLimit: limit, isHearth: true)
  static let stranger = BodyReceiver.requester(request(), stanzaLimit: nil, isHearth: false)

  private func plan(
    _ body: ByteBuffer?, _ type: String? = "text/plain", _ receiver: BodyReceiver = hearth,
    head: ResponseStanza = head
  ) -> String {
    BodyPlan.choose(body, contentType: type, headSize: written(head).utf8.count, for: receiver).summary
  }

  private func text(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 0x61, count: count) }

  // MARK: The table, row by row

  @Test func noneHasNoData() {
    #expect(plan(ByteBuffer()) == "none")
    #expect(plan(ByteBuffer(), nil, Self.stranger) == "none")
  }

  @Test func textUpTo64KiB() {
    #expect(plan(text(1)) == "text")
    #expect(plan(text(64 * Self.kib)) == "text")
    #expect(plan(text(64 * Self.kib + 1)) == "ibb 49152")
  }

  @Test func knownUpTo64KiBIsBase64() {
    #expect(plan(text(1), "image/png") == "base64")
    #expect(plan(text(64 * Self.kib), "image/png") == "base64")
    #expect(plan(text(64 * Self.kib + 1), "image/png") == "ibb 49152")
  }

  @Test func largerOrUnknownIsIBB() {
    #expect(plan(nil) == "ibb 49152")
    #expect(plan(text(1024 * Self.kib)) == "ibb 49152")
  }

  @Test func whereIBBIsRefusedItIsChunks() {
    let receiver = BodyReceiver.requester(Self.request(ibb: false), stanzaLimit: Self.limit, isHearth: true)
    #expect(plan(nil, nil, receiver) == "chunks 49152")
    #expect(plan(text(65 * Self.kib), nil, receiver) == "chunks 49152")
    #expect(plan(text(1), nil, receiver) == "base64")
  }

  @Test func theOwnersOrderHoldsWhereThePeerLetsIt() {
    func plan(_ preference: [BodyMechanism], sipub: Bool?, ibb: Bool? = nil, dialect: Dialect = .xep) -> String {
      var request = Self.request(4096, ibb: ibb, dialect: dialect)
      request.allows.sipub = sipub
      let receiver = BodyReceiver.requester(
        request, stanzaLimit: nil, isHearth: false, preference: preference)
      return self.plan(nil, nil, receiver)
    }
    #expect(plan([.sipub, .ibb], sipub: nil) == "sipub 4096")
    #expect(plan([.sipub], sipub: true, ibb: true) == "sipub 4096")
    #expect(plan([.sipub], sipub: false) == "ibb 4096")
    // It goes by ibb in the end.
    #expect(plan([.sipub], sipub: true, ibb: false) == "chunks 4096")
    // `jingle='false'` is said in all of these.
    #expect(plan([.jingle, .sipub], sipub: nil) == "sipub 4096")
    #expect(plan([.chunkedBase64, .sipub], sipub: nil) == "chunks 4096")
    #expect(plan(BodyMechanism.standard, sipub: nil) == "ibb 4096")
    #expect(plan([.sipub], sipub: nil, dialect: .slixmpp) == "unsendable")
  }

  @Test func requestBodiesAreNeverPublished() {
    let stranger = BodyReceiver.responder(stanzaLimit: nil, isHearth: false, preference: [.sipub, .ibb])
    #expect(plan(nil, nil, stranger) == "chunks 4096")
    let hearth = BodyReceiver.responder(stanzaLimit: nil, isHearth: true, preference: [.chunkedBase64])
    #expect(plan(nil, nil, hearth) == "chunks 4096")
  }

  @Test func largeOnesOfKnownSizeGoBesideTheStream() {
    let offer = S5BOffer(hosts: ["10.0.0.1"], port: 5298, local: "juliet@pronto", remote: "romeo@forza")
    func plan(
      _ length: Int?, direct: S5BOffer? = offer, jingle: Bool? = true, ibb: Bool? = true,
      preference: [BodyMechanism] = BodyMechanism.standard, whole: ByteBuffer? = nil
    ) -> String {
      var request = Self.request(65535, ibb: ibb)
      request.allows.jingle = jingle
      let receiver = BodyReceiver.requester(
        request, stanzaLimit: Self.limit, isHearth: true, direct: direct, preference: preference)
      return BodyPlan.choose(whole, length: length, contentType: nil, headSize: 100, for: receiver).summary
    }
    #expect(plan(1 << 20) == "direct 49152")
    #expect(plan(nil, whole: text(1024 * Self.kib)) == "direct 49152")
    #expect(plan(1 << 20 - 1) == "ibb 49152")
    #expect(plan(nil) == "ibb 49152")
    #expect(plan(1 << 20, direct: nil) == "ibb 49152")
    // What the peer says comes first; ibb is what it falls back to.
    #expect(plan(1 << 20, jingle: false) == "ibb 49152")
    #expect(plan(1 << 20, jingle: nil) == "direct 49152")
    #expect(plan(1 << 20, ibb: false) == "chunks 49152")
    #expect(plan(1 << 20, preference: [.ibb]) == "ibb 49152")
    #expect(plan(1 << 20, preference: [.chunkedBase64, .direct]) == "chunks 49152")
    let hearth = BodyReceiver.responder(stanzaLimit: Self.limit, isHearth: true, direct: offer)
    let upload = BodyPlan.choose(nil, length: 1 << 20, contentType: nil, headSize: 100, for: hearth)
    #expect(upload.summary == "direct 49152")
    let stranger = BodyReceiver.responder(stanzaLimit: Self.limit, isHearth: false, direct: offer)
    let chunks = BodyPlan.choose(nil, length: 1 << 20, contentType: nil, headSize: 100, for: stranger)
    #expect(chunks.summary == "chunks 4096")
  }

  @Test func whatIsNotSaidAboutIBBIsAYes() {
    let receiver = BodyReceiver.requester(Self.request(4096, ibb: nil), stanzaLimit: nil, isHearth: false)
    #expect(plan(nil, nil, receiver) == "ibb 4096")
  }

  // MARK: What may be text

  @Test(arguments: [
    "a\rb", "a\r\nb", "\u{0}", "\u{1B}", "\u{FFFE}", "\u{B}",
  ])
  func textThatXMLDoesNotCarryIsBase64(body: String) {
    #expect(plan(ByteBuffer(string: body)) == "base64")
  }

  @Test(arguments: [
    "a\nb\tc", "ä€𝄞", "\u{7F}", "]]>", "&<>'\"", "\u{FEFF}x", "e\u{301}",
  ])
  func textThatXMLCarriesIsText(body: String) {
    #expect(plan(ByteBuffer(string: body)) == "text")
  }

  @Test(arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
  func brokenUTF8IsBase64(body: [UInt8]) {
    #expect(plan(ByteBuffer(bytes: body)) == "base64")
  }

  @Test(arguments: [
    "text/html", "text/html; charset=utf-8", "Text/HTML;Charset=\"UTF-8\"", "application/json", "application/ld+json",
    "image/svg+xml", "application/xml", "text/event-stream", "text/plain; format=flowed; charset=us-ascii",
  ])
  func textualTypes(type: String) {
    #expect(plan(text(1), type) == "text")
  }

  @Test(arguments: [
    nil, "", ";", "image/png", "application/octet-stream", "text/html; charset=iso-8859-1", "text/html;charset=",
    "application/jsonx", "video/mp4",
  ])
  func otherTypes(type: String?) {
    #expect(plan(text(1), type) == "base64")
  }

  // MARK: The size of a stanza

  /// Without XEP-0478: 10,000 bytes, of which 1,024 are for the envelope.
  @Test func strangersGetStanzasOfAtMost10000Bytes() {
    let head = written(Self.head).utf8.count
    let room = 10_000 - 1024 - head
    #expect(plan(text(room), "text/plain", Self.stranger) == "text")
    // As base64 it would be larger still.
    #expect(plan(text(room + 1), "text/plain", Self.stranger) == "ibb 49152")
    #expect(plan(text(room / 4 * 3), nil, Self.stranger) == "base64")
    #expect(plan(text(room / 4 * 3 + 3), nil, Self.stranger) == "ibb 49152")
  }

  @Test func everyPlanInsideFitsWhatItWasMadeFor() throws {
    for limit in [2000, 10_000, 50_000] {
      let receiver = BodyReceiver.requester(Self.request(), stanzaLimit: limit, isHearth: false)
      for count in stride(from: 1, to: 40_000, by: 137) {
        let body = ByteBuffer(repeating: UInt8(ascii: "<"), count: count)
        guard
          case .inline(let data) = BodyPlan.choose(
            body, contentType: "text/html", headSize: written(Self.head).utf8.count, for: receiver)
        else { continue }
        let response = ResponseStanza(HTTPResponse(status: .ok), data: data)
        let envelope = written(Stanza(.iq, type: "result", id: "x", []).element)
        #expect(envelope.utf8.count + written(response).utf8.count <= limit)
      }
    }
  }

  @Test func escapingCounts() {
    // 3,000 characters that become 12,000, and 4,000 as base64.
    #expect(plan(ByteBuffer(repeating: UInt8(ascii: "<"), count: 3000), "text/html", Self.stranger) == "base64")
  }

  @Test func aLargeHeadLeavesLessRoom() {
    var response = HTTPResponse(status: .ok)
    response.headerFields.append(HTTPField(name: .setCookie, value: String(repeating: "c", count: 8000)))
    let head = ResponseStanza(response)
    #expect(plan(text(2000), "text/plain", Self.stranger, head: head) == "ibb 49152")
    #expect(plan(text(2000), "text/plain", Self.hearth, head: head) == "text")
  }

  @Test(
    arguments: [
      // What it asked for, as it advertised no limit.
      (256, nil, "ibb 256"), (4096, nil, "ibb 4096"), (65536, nil, "ibb 49152"),
      // Nothing asked.
      (nil, nil, "ibb 4096"), (nil, 262_144, "ibb 4096"),
      // An advertised limit holds in any case: (10,000 − 1,024) ÷ 4 × 3.
      (65535, 10_000, "ibb 6732"), (nil, 4000, "ibb 2232"), (65535, 100, "ibb 256"),
    ] as [(Int?, Int?, String)])
  func blocksHaveTheSizeThePeerTakes(asked: Int?, limit: Int?, expected: String) {
    let receiver = BodyReceiver.requester(Self.request(asked), stanzaLimit: limit, isHearth: false)
    #expect(plan(nil, nil, receiver) == expected)
  }

  // MARK: Request bodies

  @Test func requestsToStrangersAreInlineOrChunks() {
    let receiver = BodyReceiver.responder(stanzaLimit: nil, isHearth: false)
    #expect(plan(text(100), "text/plain", receiver) == "text")
    #expect(plan(text(5000), nil, receiver) == "base64")
    #expect(plan(text(20_000), nil, receiver) == "chunks 4096")
    #expect(plan(nil, nil, receiver) == "chunks 4096")
  }

  @Test func requestsToHearthAreInlineUpTo64KiBThenIBB() {
    let receiver = BodyReceiver.responder(stanzaLimit: Self.limit, isHearth: true)
    #expect(plan(text(64 * Self.kib), nil, receiver) == "base64")
    #expect(plan(text(64 * Self.kib + 1), nil, receiver) == "ibb 49152")
    #expect(plan(nil, nil, receiver) == "ibb 49152")
    let unsaid = BodyReceiver.responder(stanzaLimit: nil, isHearth: true)
    #expect(plan(nil, nil, unsaid) == "ibb 4096")
  }

  /// COMPAT(slixmpp): knows no stream.
  @Test func slixmppGetsWhatFitsTheStanza() {
    let receiver = BodyReceiver.requester(
      Self.request(nil, ibb: nil, dialect: .slixmpp), stanzaLimit: nil, isHearth: false)
    #expect(plan(text(100), "text/plain", receiver) == "text")
    #expect(plan(text(100), nil, receiver) == "base64")
    #expect(plan(text(20_000), nil, receiver) == "unsendable")
    #expect(plan(nil, nil, receiver) == "unsendable")
  }

  /// It would hang up, and take every other request of the stream with it.
  @Test func aHeadThatThePeerCannotTakeIsNotSent() {
    let fields = HTTPFields([HTTPField(name: .cookie, value: String(repeating: "c", count: 20_000))])
    let head = ResponseStanza(HTTPResponse(status: .ok, headerFields: fields))
    let small = BodyReceiver.requester(Self.request(), stanzaLimit: 10_000, isHearth: false)
    #expect(plan(text(1), nil, small, head: head) == "unsendable")
    #expect(plan(nil, nil, small, head: head) == "unsendable")
    #expect(plan(text(1), nil, Self.hearth, head: head) == "base64")
    // Who tells no limit may take it.
    #expect(plan(text(1), nil, Self.stranger, head: head) == "ibb 49152")
    // Less than everyone has to accept is no limit to go by.
    let absurd = BodyReceiver.requester(Self.request(), stanzaLimit: 10, isHearth: false)
    #expect(plan(nil, nil, absurd) == "ibb 256")
  }
}
