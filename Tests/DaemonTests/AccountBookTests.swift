import Account
import Control
import Foundation
import NIOPosix
import TLS
import TestKit
import Testing
import Trust
import XMPP

@testable import Daemon

@Suite(.timeLimit(.minutes(1))) struct AccountBookTests {
  private static let jid = JID("pi@im.example.com")!

  private func book(
    _ folder: String, _ section: Configuration.AccountSection = .init(), environment: [String: String] = [:]
  ) async throws -> AccountBook {
    let book = AccountBook(
      configured: section, store: AccountStore(folder: folder), id: NodeID(digest: Array(repeating: 1, count: 32))!,
      eventLoop: { MultiThreadedEventLoopGroup.singleton.next() }, environment: environment, logger: .silent)
    try await book.start()
    return book
  }

  private func refusal(_ body: () async throws -> Void) async -> ControlError? {
    await #expect(throws: ControlError.self) { try await body() }
  }

  /// A server that takes PLAIN, and the section that leads to it.
  private func server() async throws -> (ScriptedListener, Identity, Configuration.AccountSection) {
    let (listener, identity) = (try await ScriptedListener(), try Identity.generate(name: "im.example.com"))
    var section = Configuration.AccountSection()
    section.server = .init(host: "127.0.0.1", port: listener.port)
    section.tls = .startTLS
    section.allowsPlain = true
    section.fingerprint = try fingerprint(of: identity)
    return (listener, identity, section)
  }

  private func answer(_ listener: ScriptedListener, _ identity: Identity, _ words: String) async throws -> [UInt8] {
    let peer = try await listener.accept()
    try await peer.answerHeader(as: "im.example.com", features: "<starttls xmlns='\(ScriptedPeer.tls)'/>")
    try await peer.proceed(.node(identity, role: .server))
    try await peer.answerHeader(
      as: "im.example.com",
      features: "<mechanisms xmlns='\(ScriptedPeer.sasl)'><mechanism>PLAIN</mechanism></mechanisms>")
    let auth = try await peer.expect("</auth>")
    try await peer.send(words)
    let text = auth.dropLast("</auth>".count)
    let start = text.lastIndex(of: ">").map { text.index(after: $0) } ?? text.startIndex
    return [UInt8](Data(base64Encoded: String(text[start...])) ?? Data())
  }

  @Test func aLoginIsTriedBeforeItIsKept() async throws {
    try await TemporaryFolder.with { folder in
      let (listener, identity, section) = try await server()
      let book = try await book(folder, section)
      #expect(await book.resource().state == .off)

      async let refused: Void = {
        _ = try await book.logIn(AccountLogin(jid: "pi@im.example.com", password: "wrong"))
      }()
      _ = try await answer(listener, identity, "<failure xmlns='\(ScriptedPeer.sasl)'><not-authorized/></failure>")
      do {
        try await refused
        Issue.record("taken")
      } catch {
        #expect((error as? ControlError)?.code == .invalid)
      }
      #expect(!FileManager.default.fileExists(atPath: folder + "/account.json"))
      #expect(await book.resource().state == .off)

      async let taken = book.logIn(AccountLogin(jid: "pi@im.example.com", password: "right"))
      let said = try await answer(listener, identity, "<success xmlns='\(ScriptedPeer.sasl)'/>")
      #expect(said == [0] + Array("pi".utf8) + [0] + Array("right".utf8))
      #expect(try await taken.jid == "pi@im.example.com")
      let mode = try FileManager.default.attributesOfItem(atPath: folder + "/account.json")[.posixPermissions] as? Int
      #expect(mode == 0o600)

      // It is there after a restart, and gone after logging out.
      let next = try await self.book(folder, section)
      #expect(await next.resource().jid == "pi@im.example.com")
      try await next.logOut()
      #expect(await next.resource().state == .off)
      #expect(!FileManager.default.fileExists(atPath: folder + "/account.json"))
      #expect(await refusal { try await next.logOut() }?.code == .notFound)
      try await listener.close()
    }
  }

  /// SHA-256 of the certificate, as a client sees it.
  private func fingerprint(of identity: Identity) throws -> [UInt8] {
    let pem = String(decoding: identity.pem, as: UTF8.self)
    let lines = pem.split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.contains("BEGIN CERTIFICATE") })
    let end = try #require(lines.firstIndex { $0.contains("END CERTIFICATE") })
    return Digest.sha256([UInt8](try #require(Data(base64Encoded: lines[(start + 1)..<end].joined()))))
  }

  @Test func hearthTomlHasTheLastWord() async throws {
    try await TemporaryFolder.with { folder in
      var section = Configuration.AccountSection()
      section.jid = Self.jid
      let bare = try await book(folder, section)
      #expect(await bare.resource().configured)
      #expect(
        await refusal { _ = try await bare.logIn(.init(jid: "other@im.example.com", password: "x")) }?.code == .conflict
      )
      #expect(await refusal { try await bare.logOut() }?.code == .conflict)
      let inEnvironment = try await book(folder, section, environment: [AccountBook.variable: "x"])
      #expect(
        await refusal { _ = try await inEnvironment.logIn(.init(jid: Self.jid.text, password: "x")) }?.code == .conflict
      )

      section.passwordFile = folder + "/password"
      let withoutFile = try await book(folder, section)
      #expect(await withoutFile.resource().state == .stopped)
      #expect(await withoutFile.resource().problem?.message.contains("mode 600") == true)
      _ = FileManager.default.createFile(
        atPath: folder + "/password", contents: Data("secret\n".utf8), attributes: [.posixPermissions: 0o644])
      await withoutFile.reload(section)
      #expect(await withoutFile.resource().problem?.message.contains("others may read it") == true)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/password")
      await withoutFile.reload(section)
      #expect(await withoutFile.resource().state == .connecting)
    }
  }

  @Test(arguments: ["pi", "@example.org", "pi@", "pi@example.org/x", "example.org", ""])
  func whatIsNoAccountIsRefused(_ jid: String) async throws {
    try await TemporaryFolder.with { folder in
      let book = try await book(folder)
      #expect(await refusal { _ = try await book.logIn(.init(jid: jid, password: "x")) }?.code == .invalid)
      for password in ["", "a\nb", String(repeating: "x", count: 2000)] {
        #expect(
          await refusal { _ = try await book.logIn(.init(jid: "pi@example.org", password: password)) }?.code == .invalid
        )
      }
    }
  }

  @Test func aDamagedFileIsLeftAsItIs() async throws {
    try await TemporaryFolder.with { folder in
      let path = folder + "/account.json"
      _ = FileManager.default.createFile(atPath: path, contents: Data("{".utf8), attributes: [.posixPermissions: 0o600])
      await #expect(throws: StateError.self) { try await book(folder) }
      _ = FileManager.default.createFile(
        atPath: path, contents: Data(#"{"schema":1,"jid":"a@b","password":"c"}"#.utf8),
        attributes: [.posixPermissions: 0o640])
      await #expect(throws: StateError.self) { try await book(folder) }
    }
  }
}
