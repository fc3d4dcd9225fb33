import Codecs
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Mesh
import NIOCore
import XMPP

/// The resources of the control socket, version 1.
struct ControlRoutes: Sendable {
  let daemon: any ControlledDaemon
  let version: String
  let frontPort: Int?

  func router() -> Router<BasicRequestContext> {
    let router = Router()
    router.get("/v1/devices") { request, _ -> Response in
      let query = request.uri.queryParameters
      let all = query["all"] != nil
      return query["watch"] != nil ? watch(all: all) : try list(all: all)
    }
    router.get("/v1/status") { _, _ -> Response in
      try .json(
        StatusResource(
          daemon.node.status(), id: daemon.node.trustService.id, version: version, frontPort: frontPort,
          forwards: await daemon.forwards()))
    }
    router.put("/v1/services/:name") { request, context -> Response in
      let name = try Self.name(context)
      let service =
        try await Self.body(of: request, like: #"{"target": "http://127.0.0.1:8080", "access": "friends"}"#)
        as ServiceResource
      return try .json(try await daemon.serve(name, service))
    }
    router.delete("/v1/services/:name") { _, context -> Response in
      try await daemon.unserve(try Self.name(context))
      return Response(status: .noContent)
    }
    addForwards(to: router)
    TrustRoutes(of: daemon).add(to: router)
    return router
  }

  private func addForwards(to router: Router<BasicRequestContext>) {
    router.get("/v1/forwards") { _, _ -> Response in
      try .json(ForwardList(await daemon.forwards()))
    }
    router.post("/v1/forwards") { request, _ -> Response in
      let wanted = try await Self.body(of: request, like: #"{"device": "printer@pi", "port": 6310}"#) as ForwardRequest
      return try .json(try await daemon.openForward(wanted))
    }
    router.delete("/v1/forwards/:port") { _, context -> Response in
      guard let port = context.parameters.get("port").flatMap({ Int($0) }) else {
        throw ControlError(.invalid, "A forward is named by its port, a whole number.")
      }
      try await daemon.closeForward(port)
      return Response(status: .noContent)
    }
  }

  private func list(all: Bool) throws -> Response {
    let devices = daemon.node.devices().filter { all || $0.state != .gone }
    let health = daemon.node.status().health
    return try .json(
      DeviceList(
        devices.map { DeviceResource($0, frontPort: frontPort, health: health[$0.jid] ?? $0.health(now: Date())) }))
  }

  /// One line a device known, then one a change, until either side ends.
  ///
  /// Those that are gone are left out of the start unless `all`; leaving is a change, and always told.
  private func watch(all: Bool) -> Response {
    let body = ResponseBody { writer in
      var told: Set<String> = []
      for await device in daemon.node.deviceChanges() {
        guard all || device.state != .gone || told.contains(device.jid.text) else { continue }
        told.insert(device.jid.text)
        let health = device.isLocal ? daemon.node.status().health[device.jid] : device.health(now: Date())
        try await writer.write(try .line(DeviceResource(device, frontPort: frontPort, health: health)))
      }
      try await writer.finish(nil)
    }
    return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
  }

  private static func name(_ context: BasicRequestContext) throws -> String {
    guard let name = context.parameters.get("name").flatMap({ PercentEncoding.decodeText($0) }) else {
      throw ControlError(.invalid, "The name of the service is not percent-encoded UTF-8.")
    }
    return name
  }

  /// - Parameter example: what a good one looks like.
  private static func body<Value: Decodable>(of request: Request, like example: String) async throws -> Value {
    do {
      let body = try await request.body.collect(upTo: ControlLimits.requestBytes)
      return try ControlJSON.decode(Value.self, from: Data(body.readableBytesView))
    } catch is DecodingError {
      throw ControlError(.invalid, "The body must be JSON like \(example).")
    } catch is NIOTooManyBytesError {
      throw ControlError(.invalid, "The body is larger than \(ControlLimits.requestBytes) bytes.")
    }
  }
}

extension Response {
  /// A whole JSON document on one line.
  static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
    let data = try ControlJSON.encode(value) + [0x0A]
    return Response(
      status: status, headers: [.contentType: "application/json", .contentLength: "\(data.count)"],
      body: .init(byteBuffer: ByteBuffer(bytes: data)))
  }
}
