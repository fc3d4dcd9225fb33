import FoundationEssentials
import NIOConcurrencyHelpers
import NIOCore
import Synchronization
import TestKit
import Testing
import Trust
import XMPP

@testable import Mesh

/// Friends are written to disk where a thread may wait for that.
@Suite(.timeLimit(.minutes(1))) struct SavingTests {
  /// More disks hang than there are threads for tasks, and tasks go on.
  @Test func aDiskThatHangsHoldsUpNobody() async throws {
    let (begun, hasBegun) = AsyncStream.makeStream(of: Void.self)
    let disk = Disk()
    let nodes = try (0..<System.coreCount).map { _ in
      try TrustService.fresh { _ in
        hasBegun.yield()
        disk.wait()
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for node in nodes {
        group.addTask { _ = try await node.invite(jid: JID("node@pi")!, petname: nil) }
      }
      var saves = begun.makeAsyncIterator()
      for _ in nodes { _ = await saves.next() }
      // Nothing counts before it is on disk.
      for node in nodes { #expect(node.current.invites(now: .now).isEmpty) }
      disk.release()
      try await group.waitForAll()
    }
    for node in nodes { #expect(node.current.invites(now: .now).count == 1) }
  }

  /// What is decided while the disk is busy waits its turn: none is lost, and the last one written has them all.
  @Test func changesAreWrittenInOrder() async throws {
    let saved = Mutex<[[UInt8]]>([])
    let node = try TrustService.fresh { bytes in saved.withLock { $0.append(bytes) } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...10 {
        group.addTask { _ = try await node.invite(jid: JID("node@pi")!, petname: nil) }
      }
      try await group.waitForAll()
    }
    #expect(saved.withLock { $0.count } == 10)
    #expect(saved.withLock { $0.last } == (try node.current.encoded()))
    #expect(node.current.invites(now: .now).count == 10)
  }

  /// Hangs until it is let go. Blocks threads, as disks do.
  private final class Disk: Sendable {
    private let released = ConditionLock(value: false)

    func wait() {
      released.lock(whenValue: true)
      released.unlock()
    }

    func release() {
      released.lock()
      released.unlock(withValue: true)
    }
  }
}
