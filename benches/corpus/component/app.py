# The app `../fetch` hands to componentize-py; nearly all of the component is
# the Python interpreter around it.
import wit_world


class WitWorld(wit_world.WitWorld):
    def greet(self, name: str) -> str:
        return f"Hello, {name}!"
