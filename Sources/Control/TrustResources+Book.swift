import FoundationEssentials
import Mesh
import Trust
import XMPP

extension FriendList {
  init(_ book: FriendBook, devices: [Device]) {
    friends = book.friends.map { FriendResource($0, devices: devices) }
    claimed = book.claimedFriendships.map {
      ClaimedResource(
        id: $0.id.description, short: $0.id.short, jid: $0.jid?.text, address: $0.address, since: $0.since)
    }
    blocked = book.blocked.map {
      BlockedResource(id: $0.id.description, short: $0.id.short, petname: $0.petname?.text, since: $0.since)
    }
  }
}

extension FriendResource {
  init(_ friend: Friend, devices: [Device]) {
    self.init(
      petname: friend.petname.text, id: friend.id.description, short: friend.id.short,
      devices: friend.devices.map(\.text), since: friend.since, origin: friend.origin.rawValue,
      online: devices.contains { device in
        device.state == .online && device.standing == .friend(friend.petname)
      }, renounced: friend.renounced)
  }
}

extension RequestList {
  init(_ book: FriendBook, contacts: [String], now: Date) {
    self.contacts = contacts
    requests = book.requests.map {
      PendingResource(
        id: $0.id.description, short: $0.id.short, jid: $0.jid?.text, address: $0.address, greeting: $0.greeting,
        since: $0.since)
    }
    asked = book.asked.map {
      AskedResource(
        id: $0.id.description, short: $0.id.short, jid: $0.jid?.text, petname: $0.petname?.text, since: $0.since)
    }
    pairing = PairingResource(book)
    permit = PermitResource(book.permit(now: now), now: now)
  }
}

extension PairingResource {
  init(_ book: FriendBook) {
    let peer = book.pairingPeer
    self.init(
      id: peer?.id.description, short: peer?.id.short, jid: peer?.address?.text,
      digits: book.pairingQuestion?.digits)
  }
}

extension PermitResource {
  init(_ window: PermitWindow?, now: Date) {
    let seconds = window?.seconds(now: now) ?? 0
    self.init(open: seconds > 0, seconds: Int(seconds.rounded(.up)))
  }
}

extension EventResource {
  init(_ event: TrustEvent, at time: Date) {
    self.init(event: event.name, time: time, fields: event.fields)
  }

  /// The digits that the owner has to compare; nil where there are none any more.
  init?(digitsOf book: FriendBook, at time: Date) {
    guard let (peer, digits) = book.pairingQuestion else { return nil }
    var fields = ["node": peer.id.description, "digits": digits]
    if let jid = peer.address { fields["jid"] = jid.text }
    self.init(event: Self.digits, time: time, fields: fields)
  }

  /// The open door; nil where it is closed.
  init?(permitOf book: FriendBook, at time: Date) {
    guard let window = book.permit(now: time) else { return nil }
    let seconds = Int(window.seconds(now: time).rounded(.up))
    self.init(.permitOpened(seconds: seconds), at: time)
  }
}
