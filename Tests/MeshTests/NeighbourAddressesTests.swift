import Foundation
import LinkLocal
import NIOCore
import NIOPosix
import TestKit
import Testing
import XMPP

@testable import Mesh

/// Anyone on the link may announce any address.
@Suite struct NeighbourAddressesTests {
  private static let lo = Interface(index: 1, name: "lo")
  /// One that this machine does not have.
  private static let eth0 = Interface(index: 4242, name: "eth0")

  private func refusal(
    _ address: String, port: Int = 5298, on interface: Interface = eth0, isOnThisMachine: Bool = false,
    isFriends: Bool = false
  ) throws -> String? {
    let endpoint = Endpoint(address: address, port: port, interface: interface, isOnThisMachine: isOnThisMachine)
    return NeighbourAddresses(try System.enumerateDevices()).refusal(of: endpoint, isFriends: isFriends)
  }

  @Test(arguments: [
    "192.0.2.1", "10.255.255.1", "169.254.3.4", "fe80::1234", "2001:db8::1", "fd00::1", "::ffff:192.0.2.1",
  ])
  func whatCanBeANeighboursIsDialled(_ address: String) throws {
    #expect(try refusal(address) == nil)
  }

  @Test(arguments: [
    ("127.0.0.1", "is loopback"), ("127.9.9.9", "is loopback"), ("::1", "is loopback"),
    ("::ffff:127.0.0.1", "is loopback"),
    ("0.0.0.0", "is no address of one host"), ("0.1.2.3", "is no address of one host"),
    ("::", "is no address of one host"), ("::ffff:0.0.0.0", "is no address of one host"),
    ("224.0.0.251", "is no address of one host"), ("239.1.2.3", "is no address of one host"),
    ("240.0.0.1", "is no address of one host"), ("255.255.255.255", "is no address of one host"),
    ("ff02::fb", "is no address of one host"), ("pi.local", "is no address"), ("", "is no address"),
  ])
  func whatCannotIsNot(_ address: String, _ why: String) throws {
    #expect(try refusal(address) == why)
    #expect(try refusal(address, isFriends: true) == why)
  }

  @Test func thisMachineIsDialledWhereItIsMeant() throws {
    #expect(try refusal("127.0.0.1", on: Self.lo) == nil)
    #expect(try refusal("::1", on: Self.lo) == nil)
    #expect(try refusal("127.0.0.1", isOnThisMachine: true) == nil)
    for device in try System.enumerateDevices() {
      guard let address = device.address, let text = address.ipAddress, text != "127.0.0.1", text != "::1" else {
        continue
      }
      #expect(try refusal(text) == "is this machine's own")
      #expect(try refusal(text, isOnThisMachine: true) == nil)
      guard let broadcast = device.broadcastAddress?.ipAddress, broadcast != text, broadcast != "0.0.0.0" else {
        continue
      }
      #expect(try refusal(broadcast) == "is a broadcast address")
    }
  }

  @Test func portsOfTheSystemAreForFriends() throws {
    for port in [1, 22, 1023] {
      #expect(try refusal("192.0.2.1", port: port) == "has a port below 1024")
      #expect(try refusal("192.0.2.1", port: port, isFriends: true) == nil)
    }
    #expect(try refusal("192.0.2.1", port: 1024) == nil)
  }

  /// A service of this machine that trusts what comes from it hears nothing.
  @Test func whatIsAnnouncedAtThisMachineIsNotDialled() async throws {
    let link = Link()
    try await Nodes.run(["laptop"], on: link) { nodes in
      let listener = try await ScriptedListener()
      let trap = JID("trap@attic")!
      link.haunt(trap, port: listener.port, on: Self.eth0)
      _ = try #require(await nodes[0].awaitOnline("trap@attic"))
      let error = await #expect(throws: MeshError.self) { try await nodes[0].fetch(trap) }
      #expect(error?.code == .away)
      #expect(error?.message.contains("127.0.0.1, port \(listener.port), which is loopback") == true)
      // Whatever is announced next is tried again.
      #expect(nodes[0].device(trap)?.state == .away)
      #expect(error?.mayPass(now: .now) == true)
      await #expect(throws: Transcript.Failure.self) { _ = try await listener.accept(within: .milliseconds(100)) }
      try await listener.close()
    }
  }
}
