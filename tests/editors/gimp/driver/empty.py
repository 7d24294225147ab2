#!/usr/bin/env python3
"""The least that a plug-in for GIMP can be: how long a call of it takes is nobody's doing but GIMP's."""

import sys

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402


class Empty(Gimp.PlugIn):
    def do_set_i18n(self, _name):
        return False

    def do_query_procedures(self):
        return ["plug-in-empty"]

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run)
        procedure.set_image_types("*")
        return procedure


def run(procedure, *_):
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, None)


Gimp.main(Empty.__gtype__, sys.argv)
