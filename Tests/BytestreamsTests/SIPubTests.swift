import Bytestreams
import NIOCore
import Testing
import XML
import XMPP

@Suite struct SIPubElementTests {
  private static let profile = "http://jabber.org/protocol/si/profile/file-transfer"

  /// As it goes into a stream and comes out of it.
  private func passed(_ element: Element) throws -> Element {
    var buffer = ByteBuffer()
    buffer.write(element)
    return try payload(of: "<iq>\(String(buffer: buffer))</iq>")
  }

  @Test func publicationOfTheXEP() throws {
    let element = try payload(
      of: """
        <message from='romeo@montague.net/pda' to='juliet@capulet.com'>
          <sipub xmlns='http://jabber.org/protocol/sipub' from='bard@shakespeare.lit'
              id='publish-0123'
              mime-type='application/pdf'
              profile='http://jabber.org/protocol/si/profile/file-transfer'>
            <file xmlns='http://jabber.org/protocol/si/profile/file-transfer'
                  name='NDA.pdf'
                  size='138819'
                  date='2004-01-28T10:07Z'>
              <desc>All Shakespearean characters must sign and return this NDA ASAP</desc>
            </file>
          </sipub>
        </message>
        """)
    let publication = Publication(
      id: "publish-0123", from: "bard@shakespeare.lit",
      file: SIFile(name: "NDA.pdf", size: 138819, mimeType: "application/pdf"))
    #expect(try Publication(element) == publication)
    #expect(try Publication(passed(publication.element)) == publication)
  }

  @Test func startAndStartingOfTheXEP() throws {
    let start = try payload(
      of: """
        <iq type='get' id='sipub-request-0'><start xmlns='http://jabber.org/protocol/sipub'
                   id='publish-0123'/></iq>
        """)
    #expect(try SIPub.id(ofStart: start) == "publish-0123")
    #expect(try passed(SIPub.start("publish-0123")) == start)
    let starting = try payload(
      of: """
        <iq type='result' id='sipub-request-0'><starting xmlns='http://jabber.org/protocol/sipub'
                      sid='session-87651234'/></iq>
        """)
    #expect(SIPub.sid(ofStarting: starting) == "session-87651234")
    #expect(try passed(SIPub.starting("session-87651234")) == starting)
    #expect(SIPub.sid(ofStarting: start) == nil && SIPub.sid(ofStarting: nil) == nil)
  }

  @Test func offerAndAnswerOfTheXEP() throws {
    let element = try payload(
      of: """
        <iq type='set' id='offer1' to='receiver@jabber.org/resource'>
          <si xmlns='http://jabber.org/protocol/si' id='a0' mime-type='text/plain' profile='\(Self.profile)'>
            <file xmlns='http://jabber.org/protocol/si/profile/file-transfer' name='test.txt' size='1022'/>
            <feature xmlns='http://jabber.org/protocol/feature-neg'>
              <x xmlns='jabber:x:data' type='form'>
                <field var='stream-method' type='list-single'>
                  <option><value>http://jabber.org/protocol/bytestreams</value></option>
                  <option><value>http://jabber.org/protocol/ibb</value></option>
                </field>
              </x>
            </feature>
          </si>
        </iq>
        """)
    let offer = SIOffer(
      id: "a0", file: SIFile(name: "test.txt", size: 1022, mimeType: "text/plain"),
      methods: ["http://jabber.org/protocol/bytestreams", "http://jabber.org/protocol/ibb"])
    #expect(try SIOffer(element) == offer)
    #expect(try SIOffer(passed(offer.element)) == offer)
    let answer = try payload(
      of: """
        <iq type='result' to='sender@jabber.org/resource' id='offer1'>
          <si xmlns='http://jabber.org/protocol/si'>
            <file xmlns='http://jabber.org/protocol/si/profile/file-transfer'/>
            <feature xmlns='http://jabber.org/protocol/feature-neg'>
              <x xmlns='jabber:x:data' type='submit'>
                <field var='stream-method'>
                  <value>http://jabber.org/protocol/bytestreams</value>
                </field>
              </x>
            </feature>
          </si>
        </iq>
        """)
    #expect(SIPub.method(ofAnswer: answer) == "http://jabber.org/protocol/bytestreams")
    #expect(try SIPub.method(ofAnswer: passed(SIPub.accepting(Namespace.ibb))) == Namespace.ibb)
    #expect(SIPub.method(ofAnswer: nil) == nil)
  }

  /// XEP-0137's own offer names no ways.
  @Test func anOfferWithoutWays() throws {
    let offer = try payload(
      of:
        "<iq><si xmlns='http://jabber.org/protocol/si' id='s' profile='\(Self.profile)'><file xmlns='\(Self.profile)'/></si></iq>"
    )
    #expect(try SIOffer(offer) == SIOffer(id: "s", file: SIFile(name: ""), methods: nil))
  }

  /// COMPAT(xmpp-httpx): of unknown size.
  @Test func aSizeOfNothingIsUnknown() throws {
    let publication = Publication(id: "p", file: SIFile(name: "n"))
    #expect(try passed(publication.element).elements.first?["size"] == "0")
    #expect(try Publication(passed(publication.element)).file.size == nil)
  }

  @Test(arguments: [
    "<sipub xmlns='http://jabber.org/protocol/sipub'/>", "<sipub xmlns='http://jabber.org/protocol/sipub' id=''/>",
    "<sipub xmlns='http://jabber.org/protocol/sipub' id='\(String(repeating: "i", count: 257))'/>",
    "<sipub xmlns='http://jabber.org/protocol/sipub' id='i' profile='urn:other'/>",
    "<sipub xmlns='http://jabber.org/protocol/sipub' id='i'><file xmlns='\(profile)' size='-1'/></sipub>",
    "<sipub xmlns='http://jabber.org/protocol/sipub' id='i'><file xmlns='\(profile)' size='99999999999999999999'/></sipub>",
  ])
  func publicationsThatCannotBeRead(text: String) throws {
    let element = try payload(of: "<iq>\(text)</iq>")
    #expect(throws: StanzaError.self) { try Publication(element) }
  }

  @Test func theErrorOfXEP0095() throws {
    let error = try passed(SIPub.noValidStreams)
    #expect(error["type"] == "cancel" && StanzaError(error).condition == .badRequest)
    #expect(error.elements.map(\.self).last?.is("no-valid-streams", Namespace.si) == true)
  }
}

@Suite struct SIPubMachineTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  private func sender() -> SIPubSenderMachine {
    SIPubSenderMachine(Publication(id: "p", file: SIFile(name: "n", size: 3)), sid: "s", expires: start + .seconds(30))
  }

  @Test func isAskedForOnce() throws {
    var machine = sender()
    #expect(machine.deadline == start + .seconds(30) && !machine.isOffered)
    let offer = machine.requested()
    #expect(offer == SIOffer(id: "s", file: SIFile(name: "n", size: 3)) && machine.isOffered)
    #expect(machine.deadline == nil)
    let again = machine.requested()
    #expect(again == nil)
    let goesBeside = try machine.accepted(SIPub.accepting(Namespace.ibb))
    #expect(!goesBeside && machine.isAgreed && !machine.isOffered)
    let late = machine.requested()
    #expect(late == nil)
  }

  @Test func isAskedForInTimeOrNever() {
    var machine = sender()
    let early = machine.expire(now: start + .seconds(29))
    #expect(!early)
    let due = machine.expire(now: start + .seconds(30))
    #expect(due && machine.deadline == nil)
    let late = machine.requested()
    let again = machine.expire(now: start + .seconds(60))
    #expect(late == nil && !again)
  }

  @Test func anotherWayThanTheOfferedOneIsARefusal() throws {
    var machine = sender()
    _ = machine.requested()
    for method in ["jabber:iq:oob", Namespace.bytestreams] {
      #expect(throws: BytestreamError.self) { _ = try machine.accepted(SIPub.accepting(method)) }
      #expect(!machine.isAgreed)
    }
    // One that names none takes that which works everywhere.
    let goesBeside = try machine.accepted(nil)
    #expect(!goesBeside && machine.isAgreed)
  }

  @Test(arguments: [Namespace.ibb, Namespace.bytestreams]) func theOtherSideChooses(method: String) throws {
    var machine = sender()
    #expect(machine.requested(mayGoBeside: true)?.methods == [Namespace.ibb, Namespace.bytestreams])
    let goesBeside = try machine.accepted(SIPub.accepting(method))
    #expect(goesBeside == (method == Namespace.bytestreams) && machine.isAgreed)
  }

  @Test func whatHasNoSizeHasNoEndBeside() throws {
    let publication = Publication(id: "p", file: SIFile(name: "n"))
    var sender = SIPubSenderMachine(publication, sid: "s", expires: start + .seconds(30))
    #expect(sender.requested(mayGoBeside: true)?.methods == [Namespace.ibb])
    var receiver = SIPubReceiverMachine()
    _ = try receiver.started(SIPub.starting("s"))
    let offer = SIOffer(id: "s", file: SIFile(name: ""), methods: [Namespace.bytestreams])
    guard case .refuse = receiver.offered(offer, mayComeBeside: true) else {
      Issue.record("not refused")
      return
    }
  }

  /// In-band where both are offered: from the other way there is no way back.
  @Test(arguments: [[Namespace.bytestreams], [Namespace.bytestreams, Namespace.ibb]])
  func besideTheStreamIsTakenWhereNothingElseIsOffered(methods: [String]) throws {
    var machine = SIPubReceiverMachine()
    _ = try machine.started(SIPub.starting("s"))
    let offer = SIOffer(id: "s", file: SIFile(name: "", size: 3), methods: methods)
    guard case .accept(let answer, let size) = machine.offered(offer, mayComeBeside: true) else {
      Issue.record("not accepted")
      return
    }
    #expect(SIPub.method(ofAnswer: answer) == (methods.count == 1 ? Namespace.bytestreams : Namespace.ibb))
    #expect(size == (methods.count == 1 ? 3 : nil))
  }

  @Test func theReaderTakesTheOfferThatItAskedFor() throws {
    var machine = SIPubReceiverMachine()
    guard case .ignore = machine.offered(SIOffer(id: "s", file: SIFile(name: ""))) else {
      Issue.record("an offer before the answer")
      return
    }
    let sid = try machine.started(SIPub.starting("s"))
    #expect(sid == "s")
    guard case .ignore = machine.offered(SIOffer(id: "t", file: SIFile(name: ""))) else {
      Issue.record("an offer of something else")
      return
    }
    let offered = machine.offered(SIOffer(id: "s", file: SIFile(name: ""), methods: ["jabber:iq:oob", Namespace.ibb]))
    guard case .accept(let answer, size: nil) = offered else {
      Issue.record("not accepted: \(offered)")
      return
    }
    #expect(SIPub.method(ofAnswer: answer) == Namespace.ibb)
    guard case .ignore = machine.offered(SIOffer(id: "s", file: SIFile(name: ""))) else {
      Issue.record("an offer that came twice")
      return
    }
  }

  @Test func anAnswerWithoutANameIsARefusal() {
    var machine = SIPubReceiverMachine()
    #expect(throws: BytestreamError.self) { _ = try machine.started(nil) }
    #expect(throws: BytestreamError.self) { _ = try machine.started(SIPub.start("s")) }
  }

  @Test func anOfferOfOtherWaysEndsIt() throws {
    var machine = SIPubReceiverMachine()
    _ = try machine.started(SIPub.starting("s"))
    let offered = machine.offered(
      SIOffer(id: "s", file: SIFile(name: ""), methods: ["http://jabber.org/protocol/bytestreams"]))
    guard case .refuse(let error, let reason) = offered else {
      Issue.record("not refused: \(offered)")
      return
    }
    #expect(error == SIPub.noValidStreams && reason.code == .refused)
  }
}
