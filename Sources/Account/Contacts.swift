package import XML
package import XMPP

/// Whose presence is asked for and who may see ours (RFC 6121 §§2, 3), for those accounts that are wanted; nobody else's entry in
/// the roster is kept or changed, since people use the account as well. A value, for one session.
package struct Contacts: Sendable {
  /// Presence to say to somebody: `subscribe`, `subscribed`, `unsubscribe` or `unsubscribed`; or `list`: to be put into the roster's group of
  /// ours.
  package struct Action: Hashable, Sendable {
    package static let list = "list"

    package let type: String
    package let contact: JID

    package init(_ type: String, _ contact: JID) {
      (self.type, self.contact) = (type, contact)
    }
  }

  /// Of requests of others, which may be wanted later.
  private static let rememberedRequests = 256

  /// In the roster, of those who are there for friends' nodes alone: they are no contacts of the owner's.
  package static let group = "Hearth"

  private var wanted: Set<JID>
  /// Whose presence we have, or have asked for.
  private var subscribed: Set<JID> = []
  private var requests: Set<JID> = []
  /// What this session has brought about, and may take back.
  private var ours: Set<JID> = []
  private var isLoaded = false
  /// Whose presence we have and who have ours, without those in `group`: contacts as people have them.
  private var mutual: Set<JID> = []

  package init(wanted: Set<JID>) {
    self.wanted = wanted
  }

  package func isMutual(_ address: JID) -> Bool { mutual.contains(address.bare) }

  /// All that are mutual.
  package var contacts: Set<JID> { mutual }

  package func isWanted(_ address: JID) -> Bool { wanted.contains(address.bare) }

  package mutating func follow(_ wanted: Set<JID>) -> [Action] {
    let dropped = self.wanted.subtracting(wanted).intersection(ours).sorted()
    self.wanted = wanted
    ours.subtract(dropped)
    subscribed.subtract(dropped)
    return dropped.flatMap { [Action("unsubscribe", $0), Action("unsubscribed", $0)] } + settle()
  }

  /// The roster is here; nil: the server has none to give.
  package mutating func loaded(_ query: Element?) -> [Action] {
    isLoaded = true
    query?.elements.forEach { take($0) }
    return settle()
  }

  /// One entry has changed.
  package mutating func pushed(_ query: Element) {
    for item in query.elements.prefix(1) { take(item) }
  }

  /// Those who want to be contacts and are not waited for: their server asks again in each session (RFC 6121 §3.1.3).
  package var asking: [JID] { requests.subtracting(wanted).sorted() }

  /// What the owner says to one of those; nothing where it does not ask any more.
  package mutating func answer(_ contact: JID, accepting isAccepted: Bool) -> [Action] {
    guard requests.remove(contact.bare) != nil else { return [] }
    guard isAccepted else { return [Action("unsubscribed", contact.bare)] }
    return [Action("subscribed", contact.bare), Action("subscribe", contact.bare)]
  }

  /// Presence of one of the four types of subscription.
  package mutating func received(_ type: String, from contact: JID) -> [Action] {
    let contact = contact.bare
    switch type {
    case "subscribe":
      guard requests.count < Self.rememberedRequests || isWanted(contact) else { return [] }
      requests.insert(contact)
      return settle()
    case "unsubscribe": requests.remove(contact)
    default: break
    }
    return []
  }

  private mutating func take(_ item: Element) {
    guard item.is("item", Namespace.roster), let contact = item["jid"].flatMap({ JID($0) })?.bare else { return }
    let isOurs = item.elements.contains { $0.is("group", Namespace.roster) && $0.text == Self.group }
    if item["subscription"] != "both" || isOurs {
      mutual.remove(contact)
    } else if mutual.count < AccountLimits.contacts {
      mutual.insert(contact)
    }
    guard isWanted(contact) else { return }
    if ["to", "both"].contains(item["subscription"]) || item["ask"] == "subscribe" { subscribed.insert(contact) }
  }

  private mutating func settle() -> [Action] {
    guard isLoaded else { return [] }
    var actions: [Action] = []
    for contact in wanted.sorted() {
      if subscribed.insert(contact).inserted {
        ours.insert(contact)
        actions += [Action("subscribe", contact), Action(Action.list, contact)]
      }
      if requests.remove(contact) != nil {
        ours.insert(contact)
        actions.append(Action("subscribed", contact))
      }
    }
    return actions
  }
}
