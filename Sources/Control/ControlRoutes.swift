import FoundationEssentials
import HTTPEdge
import HTTPTypes
import Mesh
import NIOCore
import XMPP

/// The resources of the control socket, version 1.
struct ControlRoutes: Sendable {
  let daemon: any ControlledDaemon
  let version: String
  let frontPort: Int?

  func router() -> Router {
    var router = Router()
    router.on(.get, "/v1/devices") { request in
      let all = request.query["all"] != nil
      return request.query["watch"] != nil ? watch(all: all) : try list(all: all)
    }
    router.on(.get, "/v1/devices/:jid/report") { request in
      guard
        let jid = request.parameter("jid").flatMap({ JID(bare: $0) })
      else { throw ControlError(.invalid, "The device must be named as thermostat@pi is.") }
      return try .json(ReportResource(try await daemon.node.report(of: jid)))
    }
    router.on(.get, "/v1/status") { _ in
      try .json(
        StatusResource(
          daemon.node.status(), id: daemon.node.trustService.id, version: version, frontPort: frontPort,
          forwards: await daemon.forwards(), account: await daemon.account(),
          component: daemon.componentStatus()))
    }
    router.on(.put, "/v1/services/:name") { request in
      let name = try Self.name(request)
      let service =
        try await request.json(like: #"{"target": "http://127.0.0.1:8080", "access": "friends"}"#) as ServiceResource
      return try .json(try await daemon.serve(name, service))
    }
    router.on(.delete, "/v1/services/:name") { request in
      try await daemon.unserve(try Self.name(request))
      return .noContent
    }
    addForwards(to: &router)
    addAccount(to: &router)
    TrustRoutes(of: daemon).add(to: &router)
    DiagnosticsRoutes(node: daemon.node, version: version).add(to: &router)
    return router
  }

  private func addForwards(to router: inout Router) {
    router.on(.get, "/v1/forwards") { _ in
      try .json(ForwardList(await daemon.forwards()))
    }
    router.on(.post, "/v1/forwards") { request in
      let wanted = try await request.json(like: #"{"device": "printer@pi", "port": 6310}"#) as ForwardRequest
      return try .json(try await daemon.openForward(wanted))
    }
    router.on(.delete, "/v1/forwards/:port") { request in
      guard let port = request.parameter("port").flatMap({ Int($0) }) else {
        throw ControlError(.invalid, "A forward is named by its port, a whole number.")
      }
      try await daemon.closeForward(port)
      return .noContent
    }
  }

  private func addAccount(to router: inout Router) {
    router.on(.get, "/v1/account") { _ in try .json(await daemon.account()) }
    router.on(.put, "/v1/account") { request in
      let login = try await request.json(like: #"{"jid": "pi@example.org", "password": "…"}"#) as AccountLogin
      return try .json(try await daemon.logIn(login))
    }
    router.on(.delete, "/v1/account") { _ in
      try await daemon.logOut()
      return .noContent
    }
    for (path, isAccepted) in [("/v1/account/requests/:jid/accept", true), ("/v1/account/requests/:jid/reject", false)]
    {
      router.on(.post, path) { request in
        try await daemon.answer(request.parameter("jid") ?? "", accepting: isAccepted)
        return .noContent
      }
    }
  }

  private func list(all: Bool) throws -> RoutedResponse {
    let devices = daemon.node.devices().filter { all || $0.state != .gone }
    let (health, book) = (daemon.node.status().health, daemon.node.trustService.current)
    return try .json(
      DeviceList(
        devices.map {
          DeviceResource(
            $0, frontPort: frontPort, health: health[$0.jid] ?? $0.health(now: Date()),
            renounced: FriendshipState.renounced($0, book))
        }))
  }

  /// One line a device known, one that says so, then one a change, until either side ends.
  ///
  /// Those that are gone are left out of the start unless `all`; leaving is a change, and always told.
  private func watch(all: Bool) -> RoutedResponse {
    .lines { writer in
      let (known, changes) = daemon.node.watchDevices()
      var told: Set<String> = []
      for device in known where all || device.state != .gone {
        told.insert(device.jid.text)
        try await writer.write(try .line(DeviceEvent.present(resource(device))))
      }
      try await writer.write(try .line(DeviceEvent.listed))
      for await device in changes {
        guard all || device.state != .gone || told.contains(device.jid.text) else { continue }
        told.insert(device.jid.text)
        try await writer.write(try .line(DeviceEvent.changed(resource(device))))
      }
    }
  }

  private func resource(_ device: Device) -> DeviceResource {
    let health = device.isLocal ? daemon.node.status().health[device.jid] : device.health(now: Date())
    return DeviceResource(
      device, frontPort: frontPort, health: health,
      renounced: FriendshipState.renounced(device, daemon.node.trustService.current))
  }

  private static func name(_ request: RoutedRequest) throws -> String {
    try request.parameter("name", called: "The name of the service")
  }
}
