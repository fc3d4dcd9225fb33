import NIOCore
import Streams
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct LifetimeTests {
  /// Handler and stream know each other until the connection is gone, and no longer.
  @Test(arguments: ["FIN", "RST", "garbage", "our end"]) func aStreamThatEndedIsGone(ending: String) async throws {
    let listener = try await ScriptedListener()
    let reference = Reference()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        let stream = try await Romeo.dial(listener.port)
        reference.stream = stream
        await stream.run()
      }
      let peer = try await listener.accept()
      try await peer.expect("version='1.0'>")
      try await peer.send(Romeo.header + Romeo.features())
      try await eventually("there is no stream") { reference.stream != nil }
      switch ending {
      case "FIN": try await peer.hangUp()
      case "RST": try await peer.reset()
      case "garbage":
        try await peer.send("<<<")
        try await peer.expectClose()
        try await peer.hangUp()
      default:
        reference.stream?.close()
        try await peer.expect("</stream:stream>")
        try await peer.send("</stream:stream>")
        try await peer.expectClose()
        try await peer.hangUp()
      }
      try await group.waitForAll()
    }
    try await eventually("the stream lives on") { reference.stream == nil }
    try await listener.close()
  }

  private final class Reference: Sendable {
    private struct Weak { weak var stream: PeerStream? }
    private let state = Mutex(Weak())

    var stream: PeerStream? {
      get { state.withLock { $0.stream } }
      set { state.withLock { $0.stream = newValue } }
    }
  }
}
