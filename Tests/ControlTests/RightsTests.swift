import FoundationEssentials
import Glibc
import HTTPTypes
import Mesh
import NIOCore
import NIOPosix
import Synchronization
import Testing
import Trust

@testable import Control

/// Who may do what, by the kernel's word on who asks.
@Suite(.timeLimit(.minutes(1))) struct RightsTests {
  private static let stranger: uid_t = 65534
  private static let group: gid_t = 4242
  private static let isRoot = geteuid() == 0

  /// All that changes something, and what it is asked with.
  private static let changes = [
    ("PUT", "/v1/services/tv", #"{"target": "/srv", "access": "friends"}"#), ("DELETE", "/v1/services/tv", ""),
    ("PATCH", "/v1/friends/anna", #"{"petname": "eve"}"#), ("DELETE", "/v1/friends/anna", ""),
    ("PUT", "/v1/blocked/anna", ""), ("DELETE", "/v1/blocked/\(FakeDaemon.mallory)", ""),
    ("POST", "/v1/requests", #"{"device": "a@b"}"#), ("POST", "/v1/requests/\(FakeDaemon.bob)/accept", ""),
    ("POST", "/v1/requests/\(FakeDaemon.bob)/reject", ""), ("DELETE", "/v1/requests/\(FakeDaemon.carol)", ""),
    ("POST", "/v1/invites", ""),
    ("POST", "/v1/join", #"{"line": "x"}"#), ("POST", "/v1/pairing", #"{"device": "a@b"}"#),
    ("POST", "/v1/pairing/confirm", #"{"digits": "1"}"#), ("DELETE", "/v1/pairing", ""),
    ("PUT", "/v1/permit", #"{"seconds": 9}"#), ("DELETE", "/v1/permit", ""), ("POST", "/v1/rotation", ""),
    ("POST", "/v1/forwards", #"{"device": "printer@pi"}"#), ("DELETE", "/v1/forwards/6310", ""),
    ("POST", "httpx://thermostat@pi/", "x"),
  ]
  private static let looks = [
    "/v1/devices", "/v1/status", "/v1/friends", "/v1/requests", "/v1/identity", "/v1/pairing", "/v1/permit",
    "/v1/forwards", "/metrics",
  ]
  /// What tells who opens what, however it is spelt.
  private static let ownersLooks = [
    "/v1/trace", "/v1/recent", "//v1//trace", "/v1/%74race?device=tv@pi", "/v1/recent/", "/%761/recent",
  ]

  @Test(.enabled(if: isRoot, "only root can be another user")) func anotherUserMayLookAndChangeNothing() async throws {
    try await FakeDaemon.with(rights: ControlRights(owner: geteuid(), group: Self.group)) { daemon, _ in
      try #require(chmod(daemon.socket, 0o666) == 0)
      let before = try daemon.trustService.current.encoded()
      for (method, path, body) in Self.changes {
        let status = try await Self.ask(daemon.socket, method, path, body, as: Self.stranger, groups: [Self.stranger])
        #expect(status == 403, "\(method) \(path)")
      }
      for path in Self.looks {
        let status = try await Self.ask(daemon.socket, "GET", path, "", as: Self.stranger, groups: [Self.stranger])
        #expect(status == 200, "\(path)")
      }
      for path in Self.ownersLooks {
        let status = try await Self.ask(daemon.socket, "GET", path, "", as: Self.stranger, groups: [Self.stranger])
        #expect(status == 403, "\(path)")
      }
      #expect(try daemon.trustService.current.encoded() == before)
      #expect(daemon.services.isEmpty && daemon.forwards().isEmpty && daemon.asked.withLock { $0 }.isEmpty)
      #expect(daemon.trustService.current.permit(now: Date()) == nil)
    }
  }

  @Test(.enabled(if: isRoot, "only root can be another user"), arguments: [[group], [7, group, 9]])
  func membersOfTheGroupMayChangeThings(_ groups: [gid_t]) async throws {
    try await FakeDaemon.with(rights: ControlRights(owner: geteuid(), group: Self.group)) { daemon, _ in
      try #require(chmod(daemon.socket, 0o666) == 0)
      let status = try await Self.ask(
        daemon.socket, "PUT", "/v1/permit", #"{"seconds": 9}"#, as: Self.stranger, groups: groups)
      #expect(status == 200)
      #expect(daemon.trustService.current.permit(now: Date()) != nil)
    }
  }

  @Test(.enabled(if: isRoot, "only root can give files away")) func theSocketOfRootIsTheGroups() async throws {
    try await FakeDaemon.with(rights: ControlRights(owner: 0, group: Self.group)) { daemon, _ in
      var facts = stat()
      try #require(stat(daemon.socket, &facts) == 0)
      #expect(facts.st_gid == Self.group && facts.st_mode & 0o777 == 0o660)
    }
  }

  @Test(.enabled(if: isRoot, "only root can be another user")) func theOwnerNeedNotBeRoot() async throws {
    try await FakeDaemon.with(rights: ControlRights(owner: Self.stranger, group: nil)) { daemon, client in
      try #require(chmod(daemon.socket, 0o666) == 0)
      let groups = [Self.stranger]
      let own = try await Self.ask(daemon.socket, "DELETE", "/v1/permit", "", as: Self.stranger, groups: groups)
      let other = try await Self.ask(daemon.socket, "DELETE", "/v1/permit", "", as: 4711, groups: groups)
      #expect(own == 204 && other == 403)
      // Root is.
      try await client.closePermit()
    }
  }

  @Test func anotherUserIsTold() throws {
    let rights = ControlRights(owner: 1000, group: 100)
    let error = #expect(throws: ControlError.self) {
      try rights.check(.put, "/v1/permit", by: PeerCredentials(user: 1001, groups: [1001]))
    }
    #expect(error?.code == .notPermitted && error?.message.contains("group hearth") == true)
    try rights.check(.get, "/v1/status", by: PeerCredentials(user: 1001, groups: [1001]))
    try rights.check(.put, "/v1/permit", by: PeerCredentials(user: 1001, groups: [1001, 100]))
    try rights.check(.put, "/v1/permit", by: PeerCredentials(user: 1000, groups: []))
  }

  @Test func aUserWithoutAProcessHasTheGroupsOfTheDatabases() throws {
    let own = PeerCredentials(user: geteuid())
    let primary = try #require(getpwuid(geteuid())).pointee.pw_gid
    #expect(own.user == geteuid() && own.groups.contains(primary))
    #expect(PeerCredentials(user: 4_000_000_000).groups.isEmpty)
    let rights = ControlRights(owner: 1000, group: nil)
    #expect(rights.mayChange(1000) && rights.mayChange(0) && !rights.mayChange(4_000_000_000))
    #expect(ControlRights(owner: 1000, group: primary).mayChange(geteuid()))
  }

  @Test func overTCPNobodyIsAnybody() async throws {
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .bind(host: "127.0.0.1", port: 0).get()
    let client = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(to: server.localAddress!).get()
    #expect(await PeerCredentials.of(client) == nil)
    try await client.close()
    try await server.close()
    let rights = ControlRights.ofThisProcess
    #expect(throws: ControlError.self) { try rights.check(.get, "/v1/status", by: nil) }
  }

  @Test func thisProcessIsKnown() throws {
    var pair: [CInt] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    defer { pair.forEach { close($0) } }
    let credentials = try #require(PeerCredentials(socket: pair[0]))
    #expect(credentials.user == geteuid() && credentials.groups.contains(getegid()))
    #expect(PeerCredentials(socket: -1) == nil)
  }

  @Test(arguments: changes.map(\.1)) func webPagesAreRefusedEverything(_ path: String) async throws {
    try await FakeDaemon.with { daemon, _ in
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] {
        let answer = try await daemon.raw(method, path, fields: [.origin: "null"])
        #expect(answer.status == .forbidden, "\(method) \(path)")
      }
    }
  }

  /// The status of the answer that a process of this user and these groups gets.
  private static func ask(
    _ socket: String, _ method: String, _ path: String, _ body: String, as user: uid_t, groups: [gid_t]
  ) async throws -> Int {
    // Waiting for a process blocks a thread, and the server needs its own.
    try await NIOThreadPool.singleton.runIfActive { try run(socket, method, path, body, as: user, groups: groups) }
  }

  private static func run(
    _ socket: String, _ method: String, _ path: String, _ body: String, as user: uid_t, groups: [gid_t]
  ) throws -> Int {
    let target = path.hasPrefix("/") ? [] : ["--request-target", path]
    let output = "/tmp/hearth-status-\(UUID())"
    defer { unlink(output) }
    var arguments = [
      "setpriv", "--reuid=\(user)", "--regid=\(user)", "--groups=\(groups.map { "\($0)" }.joined(separator: ","))",
      "curl", "-s", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", socket, "-X", method,
      "--data-binary", body,
    ]
    arguments += target + ["http://localhost\(path.hasPrefix("/") ? path : "/")"]
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    var child = pid_t()
    try #require(posix_spawnp(&child, "setpriv", &actions, nil, &argv, environ) == 0)
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let text = try String(decoding: Data(contentsOf: URL(filePath: output)), as: UTF8.self)
    return try #require(Int(text), "curl said \(text), status \(status)")
  }
}
