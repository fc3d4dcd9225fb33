package import Logging
package import Mesh
import NIOCore
import NIOPosix
import XMPP

/// Nodes on loopback that find each other over a `Link`.
package enum Nodes {
  /// Runs `body` with one running node for each machine name, in order; ends them all afterwards.
  package static func run(
    _ machines: [String], on link: Link = Link(), logger: Logger = .silent, _ body: ([Node]) async throws -> Void
  ) async throws {
    try await run(try machines.map { try Node.make($0, try .fresh($0), on: link, logger: logger) }, body)
  }

  /// The same with one node, which has these friends.
  package static func run(
    _ machine: String, _ trustService: TrustService, on link: Link, _ body: (Node) async throws -> Void
  ) async throws {
    try await run([try Node.make(machine, trustService, on: link)]) { try await body($0[0]) }
  }

  /// The same with characters that are known to each other, or not.
  package static func run(
    _ characters: [Character], on link: Link = Link(), _ body: ([Node]) async throws -> Void
  ) async throws {
    try await run(
      try characters.map { try Node.make($0.machine, $0.trustService, on: link, logger: $0.log.logger) }, body)
  }

  private static func run(_ nodes: [Node], _ body: ([Node]) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in nodes { group.addTask { try await node.run() } }
      for node in nodes { try await node.waitUntilReady() }
      try await body(nodes)
      group.cancelAll()
    }
  }
}

extension Node {
  package static func make(
    _ machine: String, _ trustService: TrustService, on link: Link, port: Int? = nil, logger: Logger = .silent
  ) throws -> Node {
    try Node(
      configuration: NodeConfiguration(name: "node", machine: machine, port: port, version: "test"),
      trustService: trustService, discovery: link.join(), eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
      logger: logger)
  }

  /// Waits until the list of devices has one that `isMeant`.
  package func awaitDevice(_ isMeant: (Device) -> Bool) async -> Device? {
    for await device in deviceChanges() where isMeant(device) { return device }
    return nil
  }

  /// Waits until a device with this address is online.
  package func awaitOnline(_ jid: String) async -> Device? {
    await awaitDevice { $0.jid.text == jid && $0.state == .online }
  }
}
