package import NIOCore
package import XML
package import XMPP

/// The way of a published body to its bytestream, at the side that sends it (XEP-0137 §3.3, XEP-0095 §3.2).
///
/// `published`: whoever gets the announcement may ask for it, once and not for ever. `offered`: the stream is offered, and its
/// answer awaited. `agreed`: the bytestream is opened, and all else is its own machine's. `expired`: nobody asked in time.
package struct SIPubSenderMachine: Sendable {
  private enum State { case published, offered, agreed, expired }

  package let publication: Publication
  /// The name of the offer, and of the bytestream.
  package let sid: String
  private let expires: NIODeadline
  private var state = State.published
  /// Those that are offered, once it is asked for.
  private var methods = [Namespace.ibb]

  /// - Parameter expires: until when it may be asked for.
  package init(_ publication: Publication, sid: String, expires: NIODeadline) {
    self.publication = publication
    self.sid = sid
    self.expires = expires
  }

  /// Until when somebody has to ask for it; nil once somebody has.
  package var deadline: NIODeadline? { state == .published ? expires : nil }

  /// Its offer has been sent, and not been answered.
  package var isOffered: Bool { state == .offered }

  /// The bytestream may have begun: the other side has to be told where it ends before its time.
  package var isAgreed: Bool { state == .agreed }

  /// The other side asks for it. nil where it has done so before; else answer it with `SIPub.starting`, and send the offer.
  ///
  /// - Parameter mayGoBeside: in the clear beside the stream (XEP-0065), which has an end only where it has a size.
  package mutating func requested(mayGoBeside: Bool = false) -> SIOffer? {
    guard state == .published else { return nil }
    state = .offered
    if mayGoBeside, publication.file.size != nil { methods.append(Namespace.bytestreams) }
    return SIOffer(id: sid, file: publication.file, methods: methods)
  }

  /// The other side accepted the offer: open the bytestream where this does not throw, or where it gives true, tell where it can be
  /// had beside the stream.
  ///
  /// One that names no way takes that which works everywhere.
  package mutating func accepted(_ answer: Element?) throws(BytestreamError) -> Bool {
    let method = SIPub.method(ofAnswer: answer) ?? Namespace.ibb
    guard methods.contains(method)
    else { throw BytestreamError(.refused, "the other side chose a way that it was not offered") }
    state = .agreed
    return method == Namespace.bytestreams
  }

  /// Nobody asked for it in time, and nobody will: true once.
  package mutating func expire(now: NIODeadline) -> Bool {
    guard let deadline, deadline <= now else { return false }
    state = .expired
    return true
  }

  package static let neverRequested = BytestreamError(.closedEarly, "nobody asked for what was published")
  /// For whoever asks for what is not there, or not any more.
  package static let unknown = StanzaError(.notAcceptable, "Nothing is published by this id.")
}

/// The same at the side that reads it.
package struct SIPubReceiverMachine: Sendable {
  private enum State: Equatable {
    case requested
    case starting(sid: String)
    case agreed
  }

  private var state = State.requested

  /// The body has been asked for.
  package init() {}

  /// The answer to `SIPub.start`: the name of what is going to be offered, and opened.
  package mutating func started(_ answer: Element?) throws(BytestreamError) -> String {
    guard state == .requested, let sid = SIPub.sid(ofStarting: answer)
    else { throw BytestreamError(.refused, "the other side does not say how the body will come") }
    state = .starting(sid: sid)
    return sid
  }

  package enum OfferAction: Sendable {
    /// Answer it with this result. `size`: so many bytes come beside the stream; nil: in-band.
    case accept(Element, size: Int?)
    /// Answer it with this error; the body will not come.
    case refuse(Element, BytestreamError)
    /// Answer it with this error; nothing else changes.
    case ignore(Element)
  }

  /// In-band goes before, since it passes wherever the stream does, and there is no way back to it.
  ///
  /// - Parameter mayComeBeside: in the clear beside the stream (XEP-0065); only what has a size has an end there.
  package mutating func offered(_ offer: SIOffer, mayComeBeside: Bool = false) -> OfferAction {
    guard state == .starting(sid: offer.id) else {
      return .ignore(refusal(.forbidden, "nobody asked for this").element)
    }
    state = .agreed
    if offer.methods?.contains(Namespace.ibb) ?? true { return .accept(SIPub.accepting(Namespace.ibb), size: nil) }
    guard mayComeBeside, let size = offer.file.size, offer.methods?.contains(Namespace.bytestreams) ?? false else {
      return .refuse(SIPub.noValidStreams, BytestreamError(.refused, "the other side offers no in-band bytestream"))
    }
    return .accept(SIPub.accepting(Namespace.bytestreams), size: size)
  }
}
