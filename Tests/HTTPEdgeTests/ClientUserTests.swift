import Glibc
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import HTTPEdge

/// Whose a connection is, by the kernel's word.
@Suite(.timeLimit(.minutes(1))) struct ClientUserTests {
  private static let row = SocketRow(table: "t", local: "0100007F:9CB4", remote: "0100007F:208C")

  private static func line(
    local: String = row.local, remote: String = row.remote, state: String = "01", user: String = "1000",
    inode: String = "4711"
  ) -> String {
    "   7: \(local) \(remote) \(state) 00000000:00000000 00:00000000 00000000 \(user) 0 \(inode) 1 00000000be 20 4 30 10 -1"
  }

  @Test func theRowOfAnEstablishedSocketHasItsUser() {
    #expect(Self.row.user(in: Self.line()) == 1000)
    #expect(Self.row.user(in: Self.line(user: "    0")) == 0)
  }

  /// A socket that its process has closed belongs to nobody, and is shown as root's.
  @Test(arguments: ["02", "03", "04", "05", "06", "07", "08", "09", "0A", "0B", "0C", "", "x"])
  func closedSocketsHaveNoUser(_ state: String) {
    #expect(Self.row.user(in: Self.line(state: state, user: "0", inode: "0")) == nil)
    #expect(Self.row.user(in: Self.line(state: state)) == nil)
    #expect(Self.row.user(in: Self.line(user: "0", inode: "0")) == nil)
  }

  @Test func otherRowsAreNot() {
    #expect(Self.row.user(in: Self.line(local: Self.row.remote, remote: Self.row.local)) == nil)
    #expect(Self.row.user(in: Self.line(remote: "0100007F:208D")) == nil)
    #expect(Self.row.user(in: Self.line(user: "-1")) == nil)
    #expect(Self.row.user(in: "") == nil)
    #expect(Self.row.user(in: "  sl  local_address rem_address   st tx_queue rx_queue tr uid  timeout inode") == nil)
    #expect(Self.row.user(in: "   7: 0100007F:9CB4 0100007F:208C 01") == nil)
  }

  @Test func rowsAreWrittenAsTheKernelDoes() throws {
    let v4 = try (SocketAddress(ipAddress: "127.0.0.1", port: 40116), SocketAddress(ipAddress: "127.0.0.1", port: 8332))
    let rows = SocketRow.all(from: v4.0, to: v4.1)
    #expect(rows.map(\.table) == ["/proc/self/net/tcp", "/proc/self/net/tcp6"])
    #expect(rows.first?.local == Self.row.local && rows.first?.remote == Self.row.remote)
    #expect(rows.last?.local == "0000000000000000FFFF00000100007F:9CB4")
    let v6 = try (SocketAddress(ipAddress: "::1", port: 1), SocketAddress(ipAddress: "::1", port: 65535))
    let row = SocketRow.all(from: v6.0, to: v6.1)
    #expect(row.map(\.local) == ["00000000000000000000000001000000:0001"])
    #expect(row.map(\.remote) == ["00000000000000000000000001000000:FFFF"])
    #expect(SocketRow.all(from: v4.0, to: v6.1).isEmpty)
    #expect(SocketRow.all(from: try SocketAddress(unixDomainSocketPath: "/x"), to: v4.1).isEmpty)
  }

  @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1", "::ffff:127.0.0.1")])
  func aConnectionOfThisProcessIsOurs(_ listens: String, _ dials: String) async throws {
    try await Self.withPair(listens, dials) { accepted, client in
      #expect(await ClientUser.of(accepted) == geteuid())
      try await client.close()
      #expect(await ClientUser.of(accepted) == nil)
    }
  }

  /// The client half-closes, or closes while the server has not read that yet.
  @Test(arguments: [CloseMode.output, .all]) func aClientThatHasGoneIsNobody(_ mode: CloseMode) async throws {
    try await Self.withPair("127.0.0.1", "127.0.0.1", reads: false) { accepted, client in
      try await client.close(mode: mode)
      #expect(await ClientUser.of(accepted) == nil)
    }
  }

  @Test func unixSocketsAreNoneOfThese() async throws {
    let path = "/tmp/hearth-client-user-\(getpid())"
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
    let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(unixDomainSocketPath: path).get()
    #expect(await ClientUser.of(client) == nil)
    try await client.close()
    try await server.close()
    unlink(path)
  }

  private static func withPair(
    _ listens: String, _ dials: String, reads: Bool = true, _ body: (any Channel, any Channel) async throws -> Void
  ) async throws {
    let (accepted, source) = AsyncStream<any Channel>.makeStream()
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.autoRead, value: reads)
      .childChannelInitializer { channel in
        source.yield(channel)
        return channel.eventLoop.makeSucceededVoidFuture()
      }
      .bind(host: listens, port: 0).get()
    let port = try #require(server.localAddress?.port)
    let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .connect(to: try SocketAddress(ipAddress: dials, port: port)).get()
    for await channel in accepted {
      // Once it is registered, it has its addresses.
      try await channel.eventLoop.submit {}.get()
      try await body(channel, client)
      try? await channel.close()
      break
    }
    try? await client.close()
    try await server.close()
  }
}
