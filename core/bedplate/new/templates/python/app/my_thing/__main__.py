"""python -m my_thing"""

from my_thing import main

raise SystemExit(main())
