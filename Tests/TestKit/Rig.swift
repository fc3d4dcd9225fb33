import Dashboard
package import Front
import Glibc
import Logging
package import Mesh
import NIOCore
import NIOPosix
import TLS
package import Trust
import XMPP

/// A front on a free port with its dashboard, before a node that finds the devices of another one.
package struct Rig {
  /// `laptop`, which has the front.
  package let laptop: Node
  package let pi: Node
  package let link: Link
  package let front: FrontAddress
  /// What both nodes log.
  package let log: LogRecorder

  package static func run(
    mayChange: @escaping @Sendable (UInt32) async -> Bool = { $0 == geteuid() }, _ body: (Rig) async throws -> Void
  ) async throws {
    let (link, log) = (Link(), LogRecorder())
    try await Nodes.run(["laptop", "pi"], on: link, logger: log.logger) { nodes in
      let front = Front(
        node: nodes[0], port: 0,
        responder: DashboardResponder(
          node: nodes[0], services: TestServices(node: nodes[0]), mayChange: mayChange, logger: .silent),
        eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: .silent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await front.run() }
        guard let address = await front.waitUntilListening() else { throw RigError("the front does not listen") }
        try await body(Rig(laptop: nodes[0], pi: nodes[1], link: link, front: address, log: log))
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  /// Serves a device of `pi`, and waits until `laptop` sees it.
  package func serve(_ name: String = "app", plaintext: Bool = true, answer: @escaping TestHandler.Respond) async throws
  {
    pi.serve(HostedService(name: name, target: "test", plaintext: plaintext, handler: TestHandler(answer)))
    guard await laptop.awaitOnline("\(name)@pi") != nil else { throw RigError("\(name) is not announced") }
  }

  /// The authority of a device's origin: `app--pi.localhost:49152`.
  package func host(_ device: String = "app@pi") -> String {
    JID(device).map { String(front.origin(of: $0).dropFirst("http://".count)) } ?? ""
  }

  package func connected<Result: Sendable>(
    at ip: String = "127.0.0.1", _ body: (RawConnection) async throws -> sending Result
  ) async throws -> Result {
    try await withRawClient(SocketAddress(ipAddress: ip, port: front.port), body)
  }

  /// One request on a connection of its own. `fields` are lines without their ends.
  package func ask(
    _ line: String, host: String? = nil, _ fields: [String] = [], body: String = ""
  ) async throws -> RawResponse {
    try await connected { client in
      try await client.ask(line, host: host ?? self.host(), fields, body: body)
    }
  }
}

/// The dashboard.
extension Rig {
  package var dashboardHost: String { "hearth.localhost:\(front.port)" }

  /// What a browser says of a form of the dashboard's own page.
  package var ownForm: [String] { ["Sec-Fetch-Site: same-origin", "Origin: http://\(dashboardHost)"] }

  package func look(_ path: String) async throws -> RawResponse {
    try await ask("GET \(path)", host: dashboardHost, ["Accept: text/html"])
  }

  /// - Parameter fields: nil: those of the dashboard's own page.
  package func post(_ path: String, _ form: String = "", fields: [String]? = nil) async throws -> RawResponse {
    let type = "Content-Type: application/x-www-form-urlencoded"
    return try await ask("POST \(path)", host: dashboardHost, (fields ?? ownForm) + [type], body: form)
  }

  /// Lets `pi` ask `laptop` for friendship, and waits until that waits there.
  package func piAsks(greeting: String? = nil) async throws {
    guard await pi.awaitOnline("node@laptop") != nil else { throw RigError("laptop is not announced") }
    let events = laptop.trustService.events()
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { _ = try await pi.ask(JID("node@laptop")!, petname: nil, greeting: greeting) }
      for await event in events {
        if case .requested? = event { break }
      }
      group.cancelAll()
    }
  }

  /// Somebody asks the laptop, once, and is gone: a node would ask again, which an open door answers.
  package func guestAsks() async throws -> NodeID {
    let guest = try Identity.generate(name: "guest")
    let events = laptop.trustService.events()
    let peer = try await ScriptedPeer.connect(to: laptop.status().port)
    try await peer.secure(as: guest, to: "node@laptop")
    try await peer.send("<presence type='subscribe'/>")
    for await event in events {
      if case .requested? = event { break }
    }
    peer.disappear()
    return guest.nodeID
  }

  /// Makes friends of both nodes, as `laptop` calls `pi`.
  package func befriend(as petname: String = "kitchen-pi") async throws {
    try await pi.trustService.permit(seconds: 60)
    guard await laptop.awaitOnline("node@pi") != nil else { throw RigError("pi is not announced") }
    guard case .friends = try await laptop.ask(JID("node@pi")!, petname: petname, greeting: nil) else {
      throw RigError("not friends")
    }
    await pi.trustService.closePermit()
  }
}

/// What a test counts on and did not get.
struct RigError: Error {
  let what: String

  init(_ what: String) {
    self.what = what
  }
}

/// A response as it came over the socket.
package struct RawResponse: Sendable {
  package let status: Int
  package let fields: [(name: String, value: String)]
  package let body: [UInt8]

  package var text: String { String(decoding: body, as: UTF8.self) }

  /// Several values are joined, as HTTP has it.
  package subscript(_ name: String) -> String? {
    let values = fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }
}

extension RawConnection {
  package func ask(_ line: String, host: String, _ fields: [String] = [], body: String = "") async throws -> RawResponse
  {
    try await begin(line, host: host, fields + (body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]))
    if !body.isEmpty { try await write(body) }
    return try await response(to: line)
  }

  /// Writes a head.
  package func begin(_ line: String, host: String, _ fields: [String] = []) async throws {
    try await write(([line + " HTTP/1.1", "Host: " + host] + fields).map { $0 + "\r\n" }.joined() + "\r\n")
  }

  package func head(behind line: String = "") async throws -> RawResponse {
    let lines = (line + (try await read(to: "\r\n\r\n"))).split(separator: "\r\n")
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    let fields = lines.dropFirst().map { line in
      let name = line.prefix { $0 != ":" }
      return (String(name), String(line.dropFirst(name.count + 1).drop { $0 == " " }))
    }
    return RawResponse(status: status ?? 0, fields: fields, body: [])
  }

  /// A whole response; `line` is that of its request, `status` the first of its own where that was read already.
  package func response(behind status: String = "", to line: String) async throws -> RawResponse {
    let head = try await head(behind: status)
    let isEmpty = line.hasPrefix("HEAD ") || [204, 304].contains(head.status)
    let body = isEmpty ? [] : try await body(of: head)
    return RawResponse(status: head.status, fields: head.fields, body: body)
  }

  private func body(of head: RawResponse) async throws -> [UInt8] {
    if let length = head["Content-Length"].flatMap({ Int($0) }) { return try await read(bytes: length) }
    guard head["Transfer-Encoding"] == "chunked" else { return Array(try await readToEnd().utf8) }
    var body: [UInt8] = []
    while let chunk = try await chunk() { body += chunk }
    return body
  }

  /// The next chunk (RFC 9112 §7.1); nil at the end.
  package func chunk() async throws -> [UInt8]? {
    // "\r\n" is one character.
    let line = try await read(to: "\r\n").dropLast()
    guard let size = Int(line, radix: 16) else { throw RigError("the body breaks off") }
    let bytes = try await read(bytes: size)
    let end = try await read(to: "\r\n")
    guard bytes.count == size, end == "\r\n" else { throw RigError("the body breaks off") }
    return size == 0 ? nil : bytes
  }
}

/// Something that happens once, and that a test waits for. Tests that use it have a time limit.
package struct Event: Sendable {
  private let stream = AsyncStream<Void>.makeStream()

  package init() {}

  package func happen() { stream.continuation.yield() }

  package func wait() async {
    for await _ in stream.stream { return }
  }
}
