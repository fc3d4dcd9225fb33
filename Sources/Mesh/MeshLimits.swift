import NIOCore

/// Every bound of this module, with its unit and its reason.
enum MeshLimits {
  /// Stanzas about friendship that wait to be dealt with. Each takes microseconds, or one write to disk; a flood of them
  /// loses its end, and nothing else waits for it.
  static let trustInputs = 1024
  /// Of these, of one node: it has no reason to say more before the first is dealt with.
  static let trustInputsOfNode = 4
  /// Requests of one stranger, over all of its streams: two pages of a hundred parts at once, and then 50 a second.
  static let requestBurst = 200
  static let requestInterval = 1.0 / 50
  /// Seconds after which one who asked too often may ask again: by then there is room for 50 more.
  static let retryAfter = 1
  /// Strangers whose requests are counted.
  static let countedAskers = 1024
  /// Decisions that wait for one who watches them: more than a person reads, or a script falls behind by.
  static let events = 256
  /// Words to nodes that have no stream here, which wait to be carried there.
  static let outbox = 256
  /// Of these, so many at once: each is a dial or a few.
  static let outboxDialsAtOnce = 8
  /// Devices that are tried for one message: one node's are announced by itself, and by whoever wants to be in the way.
  static let outboxDials = 8
  /// How long `join` and `ask` wait for the other node's answer. What does not need its owner comes within milliseconds.
  static let friendship = Duration.seconds(3)
  /// How long a request waits for the link to say anew where a device is that is about to be dialled: what is known there
  /// comes within milliseconds, and a question is answered within half a second.
  static let resolving = Duration.seconds(1)
  /// Devices that were just resolved, which wait for one who wants one of them to look.
  static let resolutions = 64
  /// How long a device is waited for that was just heard of: one cold browse, and a bit.
  static let discovery = Duration.seconds(5)
  /// Without a request for so long, and up to as long again, requests have come to rest: unused connections to apps are
  /// closed by then (4 s), and what the last requests needed is free.
  static let quiet = TimeAmount.seconds(10)
  /// Seconds for which a device that was seen may be back in a moment: a day.
  static let recently = 86_400.0
  /// Between two looks at what answers for a service: a connection to an app on this machine costs nothing, and a minute is
  /// what an owner waits for the list to be right.
  static let healthInterval = Duration.seconds(60)
  /// Services that wait for their first look; those that are served meanwhile are seen at the next one.
  static let healthChecks = 256
  /// Seconds for which it holds what another node said of the app behind one of its devices, which nobody looks at from here:
  /// by then that node has looked again, and so may whoever wants to know.
  static let appFailure = 120.0
  /// Seconds after which the same word is noted again: each note is a change that is told to whoever watches.
  static let appFailureAgain = 30.0
  /// Between two tries to reach a device, where nothing new is heard of it.
  static let retry = Duration.milliseconds(500)
  /// The lowest port that is dialled where anyone may have announced it: below are the services of the system (RFC 6335 §6),
  /// which shall not hear from this machine at a stranger's word.
  static let lowestPort = 1024
  /// Answers to disco#info that are remembered by their hash. Nodes of one kind share one, so there are few in a home.
  static let capabilities = 256
  /// Characters of each word of another node's report: a reason is a line on a terminal.
  static let reportText = 200
  /// Requests that are remembered one by one: as many of friends and the owner as fill some screens, and as many of strangers,
  /// who shall not push those out.
  static let recentRequests = 128
  /// Bytes of a `Hearth-Via` in which a record keeps the id: a longer one is none of ours.
  static let recordedVia = 128
  /// Bytes of a request target that a record holds.
  static let recordedTarget = 512
  /// Lines a second about the requests of strangers, where requests are logged: so many at once, then 10 a second.
  static let strangerLines = 100
  static let strangerLineInterval = 1.0 / 10
  /// Services whose requests are counted apart, and reasons of refusals.
  static let talliedServices = 256
  static let talliedReasons = 64
  /// Stanzas and requests that wait for one who watches them: at 4 KiB each, 2 MiB.
  static let tracedEvents = 512

  // MARK: Over an account

  /// Resources of accounts that relay: each friend's node has one, and an owner some.
  static let places = 2048
  /// How long the other side, a proxy or the server may take for one answer on the way to a connection: some round trips over the Internet,
  /// and a connection of its own to the proxy.
  static let relaying = Duration.seconds(20)
  /// The same for a block in-band: longer than a broken stream may take to be resumed.
  static let relayedBlock = Duration.seconds(150)
  /// Connections that others have opened over the account: in all as many as there are friends who are away from home at once, and of one
  /// account, which its owner may use for some nodes, as many as their streams take while they are replaced.
  static let relays = 64
  static let relaysOfAccount = 8
  /// Those of accounts that are no friends', while an invite is open; and how long such a stream has to show the invite's token.
  static let guestRelays = 4
  static let introduction = Duration.seconds(10)
  /// Streams to and from foreign peers: in all, and with clients of one account.
  static let routed = 64
  static let routedOfAccount = 8
  /// Clients of one contact that are remembered.
  static let clients = 16
  /// Proxies of an offer that are tried, and services of the own server that are asked whether they are one.
  static let streamhosts = 4
  static let serverItems = 32
  /// Between two questions to a friend's node that does not answer over its account: at first, and at the most.
  static let firstListing = Duration.seconds(2)
  static let longestListing = Duration.seconds(300)
}
