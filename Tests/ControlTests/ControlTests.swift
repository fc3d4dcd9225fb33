import Codecs
import FoundationEssentials
import HTTPEdge
import HTTPTypes
import LinkLocal
import Logging
import Mesh
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Testing
import Trust
import XMPP

@testable import Control

/// Server and client over a real unix socket, with a mesh that is made up.
@Suite(.timeLimit(.minutes(1))) struct ControlTests {
  @Test func devices() async throws {
    try await FakeDaemon.with { daemon, client in
      let devices = try await client.devices()
      #expect(devices.map(\.jid) == ["thermostat@pi", "away@pi"])
      #expect(devices[0].url == "http://thermostat--pi.localhost:8332/")
      #expect(devices[0].addresses == [.init(address: "10.0.0.1", port: 5298, interface: "eth0")])
      #expect(try await client.devices(all: true).map(\.jid) == ["thermostat@pi", "away@pi", "gone@pi"])
    }
  }

  @Test func theSchemaIsWhatWasPromised() async throws {
    try await FakeDaemon.with { daemon, client in
      let text = try await daemon.raw(.get, "/v1/devices?all").body
      #expect(
        text == """
          {"devices":[{"addresses":[{"address":"10.0.0.1","interface":"eth0","port":5298}],"encrypted":true,\
          "health":null,"http":true,"jid":"thermostat@pi","message":"warm","name":"Living room","node":"\(FakeDaemon.anna)","online":true,\
          "petname":null,"problem":"expected the key of \(FakeDaemon.anna), saw none","renounced":null,"seen":"1970-01-12T13:46:40Z",\
          "state":"online","status":"avail","trust":"CHANGED","url":"http://thermostat--pi.localhost:8332/","via":"link"},\
          {"addresses":[{"address":"10.0.0.1","interface":"eth0","port":5298}],"encrypted":null,"health":null,"http":null,\
          "jid":"away@pi","message":null,"name":"away","node":"\(FakeDaemon.bob)","online":false,"petname":null,"problem":null,"renounced":null,\
          "seen":"1970-01-12T13:46:40Z","state":"away","status":"avail","trust":"stranger",\
          "url":"http://away--pi.localhost:8332/","via":"link"},\
          {"addresses":[],"encrypted":null,"health":null,"http":false,"jid":"gone@pi","message":null,"name":"gone",\
          "node":"\(FakeDaemon.bob)","online":false,"petname":null,"problem":null,"renounced":null,\
          "seen":"1970-01-12T13:46:40Z","state":"gone","status":"avail","trust":"stranger","url":null,"via":"link"}],"schema":1}

          """)
    }
  }

  @Test func aReportOfTheOtherEnd() async throws {
    try await FakeDaemon.with { daemon, client in
      let text = try await daemon.raw(.get, "/v1/devices/thermostat@pi/report").body
      #expect(
        text == """
          {"address":"10.0.0.2","app":"down","open":true,"outcome":"told","reason":"Connection refused","schema":1,\
          "served":true,"time":"1970-01-12T13:46:40Z","version":"9"}

          """)
      #expect(try await client.report(of: "thermostat@pi").outcome == .told)
      let error = await #expect(throws: ControlError.self) { try await client.report(of: "nobody@pi") }
      #expect(error?.code == .unreachable)
      #expect(try await daemon.raw(.get, "/v1/devices/%FF/report").status == .badRequest)
    }
  }

  @Test func watching() async throws {
    struct Enough: Error {}
    try await FakeDaemon.with { daemon, client in
      var seen: [String] = []
      await #expect(throws: Enough.self) {
        try await client.watchDevices { event in
          seen.append(event.device.map { "\($0.jid) \($0.online)" } ?? "listed")
          if seen.count == 3 { daemon.change(FakeDaemon.device("new", .online)) }
          if seen.count == 4 { daemon.change(FakeDaemon.device("new", .gone)) }
          if seen.count == 5 { throw Enough() }
        }
      }
      #expect(seen == ["thermostat@pi true", "away@pi false", "listed", "new@pi true", "new@pi false"])
    }
  }

  @Test func aWatchEndsWithTheDaemon() async throws {
    try await FakeDaemon.with { daemon, client in
      var count = 0
      try await client.watchDevices { _ in
        count += 1
        if count == 3 { daemon.shutDown() }
      }
      #expect(count == 3)
    }
  }

  @Test func theAccount() async throws {
    try await FakeDaemon.with { _, client in
      #expect(try await client.account().state == .off)
      #expect(try await client.status().account == nil)
      let error = await #expect(throws: ControlError.self) {
        try await client.logIn(AccountLogin(jid: "pi@example.org", password: "x"))
      }
      #expect(error?.code == .invalid)
      #expect(
        try await client.logIn(AccountLogin(jid: "pi@example.org", password: "swordfish")).jid == "pi@example.org")
      #expect(try await client.status().account?.state == .online)
      try await client.logOut()
      await #expect(throws: ControlError.self) { try await client.logOut() }
    }
  }

  @Test func status() async throws {
    try await FakeDaemon.with { daemon, client in
      let status = try await client.status()
      #expect(status.id == daemon.trustService.id.description)
      #expect(status.services.map(\.access) == [.friends])
      #expect(status.jid == "hearth@pi")
      #expect(status.front == "http://hearth.localhost:8332/")
      #expect(status.version == "9")
      #expect(status.services.map(\.name) == ["tv"])
      #expect(status.services[0].health.state == .down && status.services[0].health.reason == "Connection refused")
      #expect(status.services[0].health.since == FakeDaemon.then)
    }
  }

  @Test(arguments: ["tv", "Küche", "a b/c?d#e%"]) func servingAndEnding(_ name: String) async throws {
    try await FakeDaemon.with { daemon, client in
      let service = ServiceResource(target: "/srv", title: "T", access: .names(["anna"]), paths: ["/a"])
      let served = try await client.serve(name, service)
      #expect(served == ServedResource(jid: "\(name)@pi", warnings: ["beware"]))
      #expect(daemon.services == [name: service])
      try await client.unserve(name)
      #expect(daemon.services == [:])
      let error = await #expect(throws: ControlError.self) { try await client.unserve(name) }
      #expect(error?.code == .notFound)
      #expect(error?.message == "not served")
    }
  }

  @Test func forwarding() async throws {
    try await FakeDaemon.with { daemon, client in
      let opened = try await client.openForward(ForwardRequest(device: "printer@pi", port: 6310))
      #expect(opened.forward.url == "http://localhost:6310/" && opened.warnings == ["beware"])
      _ = try await client.openForward(ForwardRequest(device: "tv@den", port: nil))
      #expect(try await client.forwards().forwards.map(\.port) == [6310, 8400])
      #expect(try await client.status().forwards.map(\.device) == ["printer@pi", "tv@den"])
      try await client.closeForward(6310)
      #expect(daemon.forwards().map(\.port) == [8400])
      let error = await #expect(throws: ControlError.self) { try await client.closeForward(6310) }
      #expect(error?.code == .notFound)
      #expect(try await daemon.raw(.delete, "/v1/forwards/x").status == .badRequest)
      #expect(try await daemon.raw(.post, "/v1/forwards", body: "{}").status == .badRequest)
    }
  }

  @Test func whatIsNotUnderstood() async throws {
    try await FakeDaemon.with { daemon, _ in
      let unknown = try await daemon.raw(.get, "/v2/devices")
      #expect(unknown.status == .notFound)
      let good = #"{"target": "/", "access": "friends"}"#
      let long = String(repeating: " ", count: ControlLimits.requestBytes + 1)
      for (name, body) in [
        ("a", "{"), ("a", "{}"), ("%ff", good), ("a", long), ("a", #"{"target": "/"}"#),
        ("a", #"{"target": "/", "access": "all"}"#),
      ] {
        let answer = try await daemon.raw(.put, "/v1/services/\(name)", body: body)
        #expect(answer.status == .badRequest, "\(body.prefix(40))")
      }
      #expect(daemon.services == [:])
    }
  }

  @Test(arguments: ["/v1/devices", "/v1/services/a", "httpx://thermostat@pi/"])
  func webPagesAreRefused(_ path: String) async throws {
    try await FakeDaemon.with { daemon, _ in
      let answer = try await daemon.raw(.get, path, fields: [.origin: "http://evil.example"])
      #expect(answer.status == .forbidden)
    }
  }

  @Test func requestsInAbsoluteFormGoOut() async throws {
    try await FakeDaemon.with { daemon, client in
      let head = HTTPRequest(
        method: .post, scheme: "http", authority: "localhost", path: "httpx://thermostat@pi/a?b")
      let answer = try await client.fetch(head, body: Body(FakeDaemon.Parts(["one ", "two"]))) { head, body in
        (head.status, String(buffer: try await body.collect(upTo: 1000)))
      }
      #expect(answer.0 == .ok)
      #expect(answer.1 == "httpx://thermostat@pi/a?b one two")
    }
  }

  @Test func theSocketIsForOwnerAndGroup() async throws {
    try await FakeDaemon.with { daemon, _ in
      let mode = try FileManager.default.attributesOfItem(atPath: daemon.socket)[.posixPermissions] as? Int
      #expect(mode == 0o660)
    }
  }

  @Test func theSocketIsGoneAfterwards() async throws {
    let socket = try await FakeDaemon.with { daemon, _ in daemon.socket }
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test func aSecondDaemonIsRefused() async throws {
    try await FakeDaemon.with { daemon, client in
      let error = await #expect(throws: ControlError.self) { try await daemon.makeServer().run() }
      #expect(error?.message.contains(daemon.socket) == true)
      let devices = try await client.devices()
      #expect(devices.count == 2, "the first goes on")
    }
  }

  @Test func withoutADaemonTheErrorSaysWhatToDo() async throws {
    let client = ControlClient(
      socket: "/tmp/hearth-none-\(UUID())", eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
    let error = await #expect(throws: ControlError.self) { _ = try await client.devices() }
    #expect(error?.code == .noDaemon)
    #expect(error?.message.contains("hearth daemon") == true)
  }
}
