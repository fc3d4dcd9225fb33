import Codecs
import HTTPTypes
import HTTPX
import Logging
import NIOCore
import NIOPosix
import Streams
import TestKit
import Testing
import XMPP

/// Juliet dials Romeo, whom a script plays.
struct Romeo {
  let peer: ScriptedPeer
  let juliet: PeerStream

  static let header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    + "from='romeo@forza' to='juliet@pronto' id='1' version='1.0'>"

  /// What a Hearth node offers, save that it tells `limit` for its stanzas, or none.
  static func features(_ more: [String] = ["urn:hearth:http:1"], limit: Int? = 262_144) -> String {
    let features = (["urn:xmpp:http"] + more).map { "<feature var='\($0)'/>" }.joined()
    let limits = limit.map { "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>\($0)</max-bytes></limits>" } ?? ""
    return "<stream:features><query xmlns='http://jabber.org/protocol/disco#info'>"
      + "<identity category='client' type='bot'/>\(features)</query>\(limits)</stream:features>"
  }

  /// Runs `body` with a stream of Juliet's that runs, and Romeo at its other end; ends both.
  static func dialled<Result: Sendable>(
    greeting: String = header + features(), host: StreamHost = .juliet(),
    _ body: @escaping @Sendable (Romeo) async throws -> Result
  ) async throws -> Result {
    let listener = try await ScriptedListener()
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      defer { group.cancelAll() }
      async let accepted = listener.accept()
      async let dialled = dial(listener.port, host)
      let peer = try await accepted
      try await peer.expect("version='1.0'>")
      try await peer.send(greeting)
      let juliet = try await dialled
      group.addTask {
        await juliet.run()
        return nil
      }
      let result = try await body(Romeo(peer: peer, juliet: juliet))
      // Else the stream would wait for his end tag.
      try? await peer.hangUp()
      try await listener.close()
      return result
    }
  }

  static func dial(_ port: Int, _ host: StreamHost = .juliet()) async throws -> PeerStream {
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    return try await PeerStream.dial(
      [address], from: .juliet, to: .romeo, host: host,
      eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
  }

  /// Juliet's request, and what became of it.
  func request(
    _ method: HTTPRequest.Method = .get, fields: HTTPFields = [:], body: Body = .empty
  ) async throws -> (head: HTTPResponse, body: ByteBuffer) {
    var answer: (HTTPResponse, ByteBuffer)?
    let head = HTTPRequest(method: method, scheme: nil, authority: nil, path: "/", headerFields: fields)
    try await juliet.send(HTTPXRequest(head, body: body)) { response in
      var bytes = ByteBuffer()
      for try await part in response.body { bytes.writeImmutableBuffer(part) }
      answer = (response.head, bytes)
    }
    guard let answer else { throw Transcript.Failure("`send` returned without a response") }
    return answer
  }

  /// After whatever went wrong with one request, the next is answered, and nothing is left of the first.
  func stillServes() async throws {
    try await juliet.idle()
    async let answer = request()
    let (id, _) = try await takesRequest()
    try await answers(id, "<text>yes</text>")
    #expect(try await answer.body == ByteBuffer(string: "yes"))
    try await juliet.idle()
  }

  func outcome(_ method: HTTPRequest.Method = .get) async -> Result<(head: HTTPResponse, body: ByteBuffer), any Error> {
    await Self.outcome { try await request(method) }
  }

  static func outcome<Value>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
  }

  /// Takes a request of Juliet's, and gives its id and all of it up to the end of the IQ.
  func takesRequest() async throws -> (id: String, text: String) {
    let (id, start) = try await takesIQ(with: "<req ")
    return (id, start + (try await peer.expect("</iq>")))
  }

  /// Takes an IQ whose first element has `text` in its tag; gives its id, and the tag.
  func takesIQ(with text: String) async throws -> (id: String, tag: String) {
    while true {
      try await peer.expect("<iq ")
      let iq = try await peer.expect(">")
      if iq.hasSuffix("/>") { continue }
      let tag = try await peer.expect(">")
      guard tag.contains(text), let start = iq.range(of: "id='")?.upperBound else { continue }
      return (String(iq[start...].prefix { $0 != "'" }), tag)
    }
  }

  func answers(_ id: String, _ payload: String = "", status: Int = 200, length: Int? = nil) async throws {
    let headers =
      length.map {
        "<headers xmlns='http://jabber.org/protocol/shim'><header name='Content-Length'>\($0)</header></headers>"
      } ?? ""
    let data = payload.isEmpty ? "" : "<data>\(payload)</data>"
    try await peer.send(
      "<iq type='result' id='\(id)'><resp xmlns='urn:xmpp:http' version='1.1' statusCode='\(status)'>"
        + "\(headers)\(data)</resp></iq>")
  }
}

extension String {
  /// The first place of `text`, without Foundation.
  func range(of text: String) -> Range<String.Index>? {
    indices.lazy.compactMap { start in
      self[start...].hasPrefix(text) ? start..<index(start, offsetBy: text.count) : nil
    }.first
  }
}
