import Bytestreams
import NIOCore
import Testing
import XML
import XMPP

@Suite struct JingleTests {
  private static let session = JingleSession(
    sid: "a73sjjvkla37jfea", initiator: "romeo@montague.lit",
    file: SIFile(name: "test.txt", size: 6144, mimeType: "text/plain"),
    transport: IBBOpen(sid: "ch3d9s71", blockSize: 4096))

  /// As it goes into a stream and comes out of it.
  private func passed(_ element: Element) throws -> Element {
    var buffer = ByteBuffer()
    buffer.write(element)
    return try payload(of: "<iq>\(String(buffer: buffer))</iq>")
  }

  /// The file of XEP-0234's examples, by the transport of XEP-0261's.
  private func initiate(
    action: String = "session-initiate", file: String = "<size>6144</size>",
    application: String = "urn:xmpp:jingle:apps:file-transfer:5",
    transport: String = "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' block-size='4096' sid='ch3d9s71'/>"
  ) throws -> Element {
    try payload(
      of: """
        <iq from='romeo@montague.lit/orchard' id='xn28s7gk' to='juliet@capulet.lit/balcony' type='set'>
          <jingle xmlns='urn:xmpp:jingle:1' action='\(action)' initiator='romeo@montague.lit' sid='a73sjjvkla37jfea'>
            <content creator='initiator' name='a-file-offer' senders='initiator'>
              <description xmlns='\(application)'>
                <file>
                  <date>1969-07-21T02:56:15Z</date>
                  <media-type>text/plain</media-type>
                  <name>test.txt</name>
                  <range/>
                  \(file)
                  <hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>w0mcJylzCn+AfvuGdqkty2+KP48=</hash>
                </file>
              </description>
              \(transport)
            </content>
          </jingle>
        </iq>
        """)
  }

  @Test func theBeginningOfASession() throws {
    let read = try #require(try JingleSession(initiate()))
    #expect(read.sid == "a73sjjvkla37jfea" && read.file == Self.session.file)
    #expect(read.transport == Self.session.transport)
    let accept = try passed(read.accept)
    #expect(accept["action"] == "session-accept" && accept.first("content")?["name"] == "a-file-offer")
    guard case .accept(let sid, let size, nil) = try Jingle(accept) else {
      Issue.record("\(accept)")
      return
    }
    #expect(sid == "a73sjjvkla37jfea" && size == 4096)
  }

  @Test func whatIsWrittenIsRead() throws {
    #expect(try JingleSession(passed(Self.session.initiate)) == Self.session)
    var session = Self.session
    session.file.size = nil
    session.transport.carrier = .message
    #expect(try JingleSession(passed(session.initiate)) == session)
  }

  @Test func whatIsNoFileByIBBIsNone() throws {
    let s5b = "<transport xmlns='urn:xmpp:jingle:transports:s5b:1' mode='tcp' sid='vj3hs98y'/>"
    #expect(try JingleSession(initiate(transport: s5b)) == nil)
    #expect(try JingleSession(initiate(transport: "")) == nil)
    #expect(try JingleSession(initiate(application: "urn:xmpp:jingle:apps:rtp:1")) == nil)
    #expect(try JingleSession(initiate(action: "session-accept")) == nil)
    #expect(try JingleSession(payload(of: "<iq><jingle xmlns='urn:xmpp:jingle:1'/></iq>")) == nil)
  }

  @Test(arguments: [
    "sid='s'", "block-size='0' sid='s'", "block-size='65536' sid='s'", "block-size='9'",
    "block-size='9' sid='s' stanza='presence'",
  ])
  func transportsThatCannotBeRead(attributes: String) throws {
    let transport = "<transport xmlns='urn:xmpp:jingle:transports:ibb:1' \(attributes)/>"
    #expect(throws: StanzaError.self) { try JingleSession(initiate(transport: transport)) }
    #expect(throws: StanzaError.self) { try Jingle(initiate(action: "session-accept", transport: transport)) }
  }

  @Test func aSizeThatIsNoneIsAnError() throws {
    for size in ["-1", "x", "", "99999999999999999999"] {
      #expect(throws: StanzaError.self) { try JingleSession(initiate(file: "<size>\(size)</size>")) }
    }
    #expect(try JingleSession(initiate(file: ""))?.file.size == nil)
    #expect(try JingleSession(initiate(file: "<size>0</size>"))?.file.size == 0)
  }

  @Test func theEndOfASession() throws {
    for (reason, succeeds) in [("success", true), ("cancel", false), ("decline", false)] {
      guard case .terminate("s", isSuccess: succeeds) = try Jingle(passed(Jingle.terminate("s", reason: reason))) else {
        Issue.record("\(reason)")
        continue
      }
    }
    guard
      case .other("s") = try Jingle(
        payload(of: "<iq><jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='s'/></iq>"))
    else {
      Issue.record("session-info")
      return
    }
    #expect(throws: StanzaError.self) { try Jingle(payload(of: "<iq><jingle xmlns='urn:xmpp:jingle:1'/></iq>")) }
  }

  @Test func isAcceptedOnceAndInTime() {
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var machine = JingleSenderMachine(Self.session, expires: start + .seconds(30))
    #expect(machine.deadline == start + .seconds(30) && !machine.isAccepted)
    let early = machine.expire(now: start)
    let open = machine.accepted(blockSize: 2048)
    #expect(
      !early && open == IBBOpen(sid: "ch3d9s71", blockSize: 2048) && machine.isAccepted && machine.deadline == nil)
    let again = machine.accepted(blockSize: nil)
    let late = machine.expire(now: start + .seconds(60))
    #expect(again == nil && !late)

    var other = JingleSenderMachine(Self.session, expires: start + .seconds(30))
    let due = other.expire(now: start + .seconds(30))
    let tooLate = other.accepted(blockSize: 65535)
    #expect(due && tooLate == nil && other.deadline == nil)
  }
}
