import Mesh
import Testing
import Trust
import XMPP

@testable import Dashboard

/// The words of what to do next, which the command line and the pages share.
struct NextStepTests {
  private static let id = NodeID(digest: [UInt8](repeating: 7, count: 32))!

  @Test(
    arguments: [
      ("there is no friend x", nil, "there is no friend x"),
      ("X is blocked", .unblock(id), "X is blocked: hearth friends unblock \(id)"),
      ("You have blocked it.", .unblock(id), "You have blocked it. To undo that: hearth friends unblock \(id)"),
      ("5 requests wait", .withdraw, "5 requests wait: take one back with hearth requests withdraw"),
      (
        "“x” can be imitated", .compareID(id),
        "“x” can be imitated: give the whole id, once it is the one that `hearth id` prints there: \(id)"
      ),
      (
        "there is no friend x", .listFriends,
        "there is no friend x: hearth friends lists friends, hearth requests what waits"
      ),
      ("No device.", .listDevices, "No device. The list: hearth devices"),
      (
        "the door stays open for 1 to 900 seconds", .permit,
        "the door stays open for 1 to 900 seconds: hearth permit 120s"
      ),
      ("try again in a minute", .invite, "try again in a minute, or use hearth invite"),
      ("?", .copyInvite, "this is not a line that hearth invite printed: copy it from httpx:// to its end"),
    ] as [(String, NextStep?, String)])
  func words(_ message: String, _ step: NextStep?, _ text: String) {
    #expect(NextStep.text(message, step) == text)
  }

  @Test func aFriendInTheWayIsNamed() throws {
    let step = NextStep.remove(try Petname("anna"))
    #expect(
      NextStep.text("a@b is taken", step) == "a@b is taken: where that is right, first hearth friends remove anna")
  }

  @Test func errorsCarryTheirStep() throws {
    let device = try #require(JID("a@b"))
    let error = MeshError(.notDiscovered, device: device, message: "No device.", nextStep: .listDevices)
    #expect(Problem(error).message == "No device. The list: hearth devices")
    let trust = TrustError(.unknown, "there is no friend x", nextStep: .listFriends)
    #expect(
      Problem(trust).message == "There is no friend x: hearth friends lists friends, hearth requests what waits.")
  }
}
