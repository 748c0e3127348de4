# Everything that the cardholder's pages say, in English (United States).
# $-placeholders are filled by the program, numbers and dates already in the language's form. No HTML.
# Words for a verdict, for guilt or for compensation do not appear here; a test looks for them.

## Frame of every page

service-name = Carbon footprint
skip-link = Skip to content
overview-link = Overview
language-heading = Language
view-ends = This view closes at { $time } { $zone }.
view-ends-soon = This view closes in 2 minutes.
keep-open = Keep open
fixed-sentence = Nothing here affects your card, your limit or your credit.

## Figures

figure-kg = { $number } kg
figure-tonnes = { $number } t
figure-under-one = less than 1 kg
figure-under-minus-one = between 0 and −1 kg
figure-about = about { $figure }
about = about
exact-grams = { $number } g CO₂e
exact-pounds = { $number } lb CO₂e
column-footprint = Footprint
payments-count = { $count ->
    [one] { $shown } payment
   *[other] { $shown } payments
}

## Confidence

confidence = Confidence
confidence-high = high
confidence-medium = medium
confidence-low = low
confidence-none = not counted

## Overview: month and total

overview-title = Footprint, { $month }
month-heading = Month
month-select = Choose a month
month-show = Show
month-previous = Previous month: { $month }
month-next = Next month: { $month }
total-heading = Total of { $month }
total-estimate = Estimate
total-so-far = Estimate, so far this month
total-so-far-incomplete = Estimate, so far this month, incomplete
total-incomplete = Estimate, incomplete
total-coverage = { $count ->
    [one] { $scored } of { $shown } payment counted, { $share } of spending
   *[other] { $scored } of { $shown } payments counted, { $share } of spending
}
total-no-payments = No payments in { $month }.
total-only-unscored = Nothing is counted this month: every payment is of a kind that is not scored.
total-negative = Refunds outweigh purchases this month.
exact-heading = Exact figure and gaps
exact-sum = Exact sum
exact-confidence = Share of the footprint by confidence
exact-not-counted = Not counted
exact-why = Estimate from what was paid, not from what was bought.
exact-updated = Last calculated
exact-method = Method version

## Overview: state of the calculation

scoring-heading = Still calculating
scoring-waiting = We are working through the last 12 months, usually done within 24 hours.
scoring-progress = { $scored } of { $total } payments are done.
scoring-again = Check again
scoring-failed-heading = Not available
scoring-failed = The footprint could not be calculated. The next attempt follows within 24 hours.
empty-heading = No payments yet
empty-text = Your card payments of the last 12 months appear here once they are cleared, usually within 24 hours of enrollment. New payments follow a few days after the purchase.
notice-heading = The method has changed
notice-text = On { $date } your payments were calculated anew with method version { $version }. The total of the last 12 months was { $old } before and is { $new } now.

## Overview: introduction

intro-heading = What this shows
intro-estimate-heading = An estimate from spending
intro-estimate = Each payment is turned into kilograms of CO₂e from its amount and the kind of shop. It is right on average, not for every purchase.
intro-missing-heading = Part of the picture
intro-missing = Cash, other cards, rent paid by transfer and public services are not in it.
intro-card-heading = No effect on your card
intro-done = Got it
intro-skip = Skip
intro-again = Show the introduction again

## Overview: comparisons

self-heading = Compared with yourself
self-month = { $month }: about { $figure }
self-less-previous = about { $figure } lower than { $month }
self-more-previous = about { $figure } higher than { $month }
self-same-previous = about the same as { $month }
self-less-usual = about { $figure } lower than your usual month
self-more-usual = about { $figure } higher than your usual month
self-same-usual = about the same as your usual month
self-usual-note = { $count ->
    [one] The usual month is the median of the last { $shown } full month.
   *[other] The usual month is the median of the last { $shown } full months.
}
benchmark-heading = A month on average
benchmark-who = Who
benchmark-you = You
benchmark-country = Country average
benchmark-world = World average
benchmark-goal = UN goal
benchmark-coverage = Your card shows part of your life; the country figure shows all of it: industry, public services, heating and purchases that were paid in other ways.
benchmark-gases = These three bars count CO₂ alone, as national statistics do. All other figures here count every greenhouse gas (CO₂e).
benchmark-missing = There is no national figure for { $country }, so the world average is shown.
benchmark-none = There is no figure to compare with for { $country }.
benchmark-sources = Sources
benchmark-own = { $count ->
    [one] You: mean of your last { $shown } full month.
   *[other] You: mean of your last { $shown } full months.
}
benchmark-country-source = Average: CO₂ emitted per person in { $year } ({ $place }), divided by 12. Our World in Data and Global Carbon Project, license CC BY 4.0.
benchmark-goal-source = UN goal: half of the value of { $year } ({ $place }), divided by 12.
place-world = world

## Overview: twelve months

months-heading = 12 months
months-highest = Highest: { $month }, { $figure }.
months-table = Show as table
months-month = Month
months-running = so far
months-none = no data
months-line-country = Country average (CO₂)
months-line-world = World average (CO₂)
months-line-goal = UN goal (CO₂)
months-legend-running = running month

## Overview: categories, what if, payments, donations

categories-heading = By category
categories-category = Category
categories-none = Nothing to show for { $month }.
categories-change-more = { $figure } more than the month before
categories-change-less = { $figure } less than the month before
categories-change-same = about the same as the month before
what-if-heading = What if
what-if-category = Category
what-if-cut = Less by
what-if-show = Show
what-if-result = { $percent } less spending on { $category } would be about { $figure } less a month.
what-if-basis = { $count ->
    [one] Worked out from { $shown } full month of your own payments: { $before } a month now, { $after } then.
   *[other] Worked out from the mean of { $shown } full months of your own payments: { $before } a month now, { $after } then.
}
payments-heading = Payments
payments-all = All payments
payments-none = No payments.
donation-heading = Support a project
donation-note = A donation does not change the footprint.
about-heading = About this service
about-provider = A service of { $issuer }.
about-card = Card ending { $digits }.
about-method = Method version { $version }, in force since { $date }.
about-method-plain = Method version { $version }.
link-method = How it works
link-terms = Terms
link-privacy = Privacy notice
link-opt-out = Stop using this service
link-return = Back to the app

## Category page

category-title = { $category }, { $month }
category-months = Months
category-share = { $share } of the month's footprint
category-payments = Payments in { $month }

## Payments page

payments-title = Payments, { $month }
payments-title-all = Payments
payments-title-category = Payments: { $category }
payments-range = { $first } to { $last } of { $total }
payments-previous-page = Previous page
payments-next-page = Next page
payments-pages = Pages
payments-date = Date
payments-amount = Amount
payments-refund = refund
payments-reversal = reversal
payments-not-counted = not counted

## Payment page

payment-title = How was this estimated?
payment-facts = Payment
payment-status = Kind
payment-status-purchase = payment
payment-unknown-merchant = Card payment
payment-category = Category
payment-category-mcc = from the shop's category code { $mcc }
payment-country = Country of the shop
payment-steps = Calculation
payment-converted = Converted
payment-converted-value = { $amount }, at the rate of { $date }
payment-price-year = In prices of { $year }
payment-price-year-value = { $amount } (× { $factor })
payment-factor = Emission factor
payment-factor-value = { $factor } kg CO₂e per { $unit }
payment-quantity = { $carrier }
payment-quantity-value = { $quantity } at { $price } per { $unit }, { $factor } kg CO₂e per { $unit }
carrier-petrol = Gasoline
carrier-diesel = Diesel
carrier-natural_gas = Natural gas
carrier-electricity = Electricity
unit-litre = L
unit-kwh = kWh
payment-source = Source of the factor
payment-source-europe = FIGARO (Eurostat), with price structure and VAT
payment-source-usa = US EPA supply chain factors, with imported goods corrected
payment-source-energy = EPA Emission Factors Hub, NGA Factors; prices and grids by country
payment-sum = The sum in one line
payment-result = Result
payment-stored = The stored figure was made with the data of its day; today's data give another sum. The stored figure counts.
payment-reversed = This reversal takes back exactly what the original payment counted, so there is no calculation of its own.
reason-measured_quantity = The quantity was measured.
reason-sector_factor = One kind of product or service, with a factor of its sector.
reason-mixed_basket = The shop sells many kinds of things; what was bought is not known.
reason-rough_sector = The factor of this sector is known to be rough.
reason-quantity_from_price = The quantity of energy was worked out from the price.
payment-nothing = This payment is not counted: it adds nothing to the total.
unscored-not-scored = Nothing is bought with it yet, or nobody knows what: { $category }.
unscored-invalid-mcc = The shop's category code is unknown.
unscored-unsupported-currency = There is no exchange rate for the currency.
unscored-out-of-range = The amount could not be calculated.
payment-refund-note = A refund counts in the month in which it is cleared.

## Method page

method-title = How it works
method-estimate-heading = From payment to footprint
method-estimate = The amount is converted at the rate of the day, brought to the prices of one year, and multiplied by the average emissions of that kind of shop in its country. For fuel and electricity the price says how many liters or kilowatt-hours were bought, and these are multiplied by what producing and using them emits.
method-limits-heading = Limits
method-limits = Two baskets of the same price from the same kind of shop get the same figure, whatever was in them. Expensive goods seem to emit more than they do, cheap goods less. Only cleared payments count.
method-confidence-heading = Confidence
method-confidence-high = High: from a measured quantity.
method-confidence-medium = Medium: one kind of product or service, with a factor of its sector.
method-confidence-low = Low: mixed baskets, quantities worked out from prices, rough sectors.
method-rounding = Totals are rounded to two digits because more would not be true.
method-refunds-heading = Refunds
method-refunds = A refund is counted with a minus in the month in which it is cleared. So a month can fall below zero.
method-unscored-heading = What is not counted
method-unscored = Cash, transfers, loans, stored value, gambling stakes, taxes, fines and securities. They add nothing, and their share of spending is shown.
method-sources-heading = Sources
method-sources = Emission factors: FIGARO (Eurostat) for 30 European countries, US EPA elsewhere. Exchange rates: European Central Bank. Prices: Eurostat, European Commission, US authorities. Country averages: Our World in Data.
method-versions-heading = Version
method-privacy-heading = Who sees what
method-privacy = You and { $issuer }'s service see these figures. They are stored encrypted, are not sold, and are erased when you stop using the service. No page of this view loads anything from elsewhere.

## Introduction page

intro-title = Introduction

## Pages that end a visit

closed-title = This view has closed
closed-text = Open it again from the bank's app.
closed-no-cookie = This app does not keep cookies, so the view cannot stay open. Allow cookies and open it again.
missing-title = Page not found
missing-text = There is nothing at this address.
busy-title = One moment
busy-text = { $count ->
    [one] Try again in { $shown } second.
   *[other] Try again in { $shown } seconds.
}
failed-title = Something went wrong
failed-text = The page could not be made. If you report this, quote the number { $id }.

## Spending areas

area-unknown = Unknown category
area-groceries = Groceries
area-specialty_food = Specialty food and convenience
area-alcohol = Beer, wine and spirits
area-tobacco = Tobacco
area-restaurants = Eating out
area-fast_food = Fast food
area-bars = Bars and clubs
area-general_merchandise = Department stores
area-online_retail = Online and mail order
area-clothing = Clothing
area-shoes_leather = Shoes and leather
area-electronics = Electronics
area-furniture_home = Furniture and home
area-appliances = Household appliances
area-diy_garden = Hardware and garden
area-sports_hobby = Sports, toys and hobby
area-books_media = Books and papers
area-jewelry_gifts = Jewelry and gifts
area-health_beauty = Pharmacy and cosmetics
area-pets = Pets
area-second_hand = Second-hand goods
area-business_supplies = Business supplies
area-road_fuel = Fuel
area-ev_charging = Charging an electric car
area-vehicles = Vehicles
area-vehicle_service = Vehicle parts and service
area-parking_tolls = Parking and tolls
area-public_transport = Public transport
area-taxi = Taxi and rides
area-flights = Flights
area-car_rental = Car rental
area-sea_travel = Cruises and ferries
area-freight = Moving and post
area-utilities = Electricity, gas and water
area-heating_fuel = Heating fuel
area-housing = Rent and real estate
area-home_services = Home services
area-telecom = Phone, internet and TV
area-hotels = Hotels
area-travel_agencies = Package travel
area-entertainment = Cinema and events
area-sport_recreation = Sport and recreation
area-digital_media = Digital media and games
area-health = Health and care
area-education = Education
area-childcare = Childcare
area-personal_services = Personal services
area-professional_services = Professional services
area-insurance_finance = Insurance and finance
area-organizations = Charities and memberships
area-government = Government services
area-repair = Repair and rental
area-cash = Cash
area-transfers = Transfers and debt
area-gambling = Gambling stakes
area-taxes_fines = Taxes and fines
area-securities = Securities
area-network_internal = Card network
