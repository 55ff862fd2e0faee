"""One case of hostile_cases.py."""
from hostile_server import options_of


class Case:
    """
    name      category/name
    of        the item or items of docs/hostile-input.md that it shows
    tricks    of the server (hostile_server.py)
    codes     exit statuses that are right; None: any that is no crash
    world     known: in step before, changed on both sides; new: first run
    lies      what the server says cannot be seen through: 0 is no wrong status
    honest_codes  what the honest runs after it may end with
    spoils    messages that the case itself changes or takes away
    todo      what is known to be wrong about it, and not mended yet
    skip      why it cannot be tried here
    denied    "Permission denied" is the right answer
    slow      only in the whole programme
    """

    def __init__(self, name, of, *tricks, **more):
        self.name, self.tricks = name, tricks
        self.of = [of] if isinstance(of, str) else list(of)
        self.tier = "plain"
        self.world = "known"
        self.tls = "none"
        self.layout = "nested"
        self.codes = (0, 1, 3, 4)
        self.lines, self.pair_lines, self.honest_lines = [], [], []
        self.arguments = ["-vv", "--json", "sync"]
        self.prefix = ()
        self.env = {}
        self.says = ()
        self.spoils, self.doubles, self.deletes = (), (), set()
        self.lies = self.slow = self.may_escape = self.undelete = False
        self.recovers = True
        self.honest_codes = (0,)
        self.limit = 30
        self.todo = self.skip = ""
        self.denied = False
        self.kilobytes = 0
        self.prepare = self.check = self.mend = None
        self.caps = {}
        self.tls_maker = None
        for key, value in more.items():
            if not hasattr(self, key):
                raise TypeError("no such property: " + key)
            setattr(self, key, value)

    def options(self):
        options = options_of(self.tier)
        options.update(self.caps)
        return options

    def context(self, slot):
        import hostile_server
        return (self.tls_maker or hostile_server.tls_context)(slot)
