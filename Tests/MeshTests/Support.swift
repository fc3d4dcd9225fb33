import Codecs
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Streams
import TestKit
import XMPP

extension HostedService {
  /// Gives every body back.
  static func echo(_ name: String = "echo") -> HostedService {
    HostedService(
      name: name, target: "test", plaintext: true,
      handler: TestHandler { request, _, send in
        try await send(HTTPXResponse(HTTPResponse(status: .ok), body: request.body))
      })
  }

  static func answering(_ name: String, _ respond: @escaping TestHandler.Respond) -> HostedService {
    HostedService(name: name, target: "test", plaintext: true, handler: TestHandler(respond))
  }
}

extension HTTPXRequest {
  static func make(_ method: HTTPRequest.Method = .get, path: String = "/", body: Body = .empty) -> HTTPXRequest {
    HTTPXRequest(HTTPRequest(method: method, scheme: nil, authority: nil, path: path), body: body)
  }
}

extension Node {
  /// The whole answer's body.
  func fetch(_ jid: JID, _ request: HTTPXRequest = .make()) async throws -> ByteBuffer {
    var whole = ByteBuffer()
    try await send(request, to: jid) { response in
      for try await part in response.body { whole.writeImmutableBuffer(part) }
    }
    return whole
  }
}

/// A device on the link that a script plays.
struct ScriptedDevice {
  static let jid = JID("lamp@attic")!

  let listener: ScriptedListener

  init(on link: Link) async throws {
    listener = try await ScriptedListener()
    link.haunt(Self.jid, port: listener.port)
  }

  /// Takes the next stream, and says that here is HTTP.
  func accept() async throws -> ScriptedPeer {
    let peer = try await listener.accept()
    try await peer.expect("version='1.0'>")
    try await peer.send(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        + "from='lamp@attic' id='1' version='1.0'><stream:features>"
        + "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='bot'/>"
        + "<feature var='urn:xmpp:http'/></query></stream:features>")
    return peer
  }
}

extension ScriptedPeer {
  /// Takes a request, and gives the id to answer it with.
  func takesRequest() async throws -> String {
    try await expect("type='set' id='")
    let id = String(try await expect("'").dropLast())
    try await expect("</iq>")
    return id
  }

  func answers(_ id: String, _ text: String) async throws {
    try await send(
      "<iq type='result' id='\(id)'><resp xmlns='urn:xmpp:http' version='1.1' statusCode='200'>"
        + "<data><text>\(text)</text></data></resp></iq>")
  }
}
